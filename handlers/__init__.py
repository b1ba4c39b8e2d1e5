"""What Slack calls: ack, parse, one call to a flow, answer. One journey a file."""
