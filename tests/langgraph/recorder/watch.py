"""Knows which task a chunk or an effect comes from: LangGraph's chunks do not say.

A task's body runs in a context of its own, so a context variable holds the tasks it is in,
outermost first. What LangGraph itself emits about a task goes through `output_writes`.
"""

import contextvars

import langgraph.pregel._loop as loop
import langgraph.pregel._runner as runner
import langgraph.pregel.main as main

PATH = contextvars.ContextVar("path", default=())
ABOUT = contextvars.ContextVar("about", default=None)


class Tagged:
    """A chunk with the label and the superstep of the root task that caused it."""

    def __init__(self, chunk, by):
        self.chunk, self.by = chunk, by


def label(task):
    sent = task.path and task.path[0] == "__pregel_push" and isinstance(task.path[1], int)
    return f"{task.name}#{task.path[1]}" if sent else task.name


run_task = runner.arun_with_retry


async def arun_with_retry(task, *args, **named):
    here = (label(task), task.config["metadata"]["langgraph_step"])
    token = PATH.set((*PATH.get(), here))
    try:
        return await run_task(task, *args, **named)
    finally:
        PATH.reset(token)


emit = loop.PregelLoop.output_writes


def output_writes(self, task_id, writes, *, cached=False):
    task = self.tasks.get(task_id)
    about = None if cached or task is None else (label(task), self.step)
    token = ABOUT.set(about)
    try:
        return emit(self, task_id, writes, cached=cached)
    finally:
        ABOUT.reset(token)


class Queue(main.AsyncQueue):
    """The next queue made after `arm` is that of the run being recorded."""

    armed = False

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.root, Queue.armed = Queue.armed, False

    def put_nowait(self, item):
        if self.root:
            namespace, mode, chunk = item
            path = PATH.get()
            item = (namespace, mode, Tagged(chunk, path[0] if path else ABOUT.get()))
        return super().put_nowait(item)


def arm():
    Queue.armed = True


runner.arun_with_retry = arun_with_retry
loop.PregelLoop.output_writes = output_writes
main.AsyncQueue = Queue
