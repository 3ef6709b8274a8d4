"""What bench/run is made of: the lab, the ladder and the C programs, each measured by the clock and counted by vbtrace."""
