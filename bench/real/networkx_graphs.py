"""NetworkX: PageRank, a spanning tree and shortest paths of a random graph. Argument: nodes."""

import random
import sys

import networkx

nodes = int(sys.argv[1])
generator = random.Random(1)
graph = networkx.gnm_random_graph(nodes, 5 * nodes, seed=1)
for _, _, edge in graph.edges(data=True):
    edge["weight"] = generator.randrange(1, 1000)

ranks = networkx.pagerank(graph)
print(sorted(ranks, key=lambda node: (-round(ranks[node], 12), node))[:5])
tree = networkx.minimum_spanning_tree(graph)
print(tree.number_of_edges(), int(tree.size(weight="weight")))
for start in range(3):
    lengths, paths = networkx.single_source_dijkstra(graph, start)
    print(sum(lengths.values()), max(map(len, paths.values())))
print(networkx.number_connected_components(graph), len(networkx.core_number(graph)))
