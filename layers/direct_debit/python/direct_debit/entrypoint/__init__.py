"""How AWS reaches the use cases: API events, plain commands, queues, the stream, the schedule."""
