"""What bench/run overhead and bench/run native are built from: workloads, the tools they run under,
measuring, figures and their table."""
