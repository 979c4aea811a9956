"""How AWS reaches the use cases: API events, plain commands, queues, the stream, the schedule."""

from direct_debit.entrypoint.starting import begin_start

begin_start()
