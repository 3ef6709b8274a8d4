"""What bench/run overhead is made of: workloads, the tools they run under, the measuring, the figures and their table."""
