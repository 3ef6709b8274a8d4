#!/bin/sh
# The clients of the Redis server in bench/run native: waits until it answers, loads it, shuts it
# down.
#
# usage: redis_clients.sh SOCKET REQUESTS PIPELINE
#     REQUESTS   of each kind; 0: none
#     PIPELINE   requests that a client sends at a time
set -eu
socket=$1 requests=$2 pipeline=$3

tries=0
until [ "$(redis-cli -s "$socket" ping 2>/dev/null)" = PONG ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ]; then
        echo "the server does not answer" >&2
        exit 1
    fi
    sleep 0.05
done
if [ "$requests" -gt 0 ]; then
    redis-benchmark -s "$socket" -q -n "$requests" -c 20 -P "$pipeline" -r 100000 -d 40 \
        -t set,get,incr,lpush,lpop,sadd,hset,zadd >/dev/null
fi
redis-cli -s "$socket" shutdown nosave >/dev/null 2>&1 || true
