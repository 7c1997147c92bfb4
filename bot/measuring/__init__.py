"""How fast an engine is: the same conversations put to ours and to others, on one machine and in one run.

texts       English of any length, never the same twice
workloads   who asks what and when, and the same as token ids
answers     when an answer's pieces came, and the figures of many
ours        our engine, through the client and worker that serve
rivals      another way of generating, in a process of its own
waiting     one at a time: how long others wait
child       the other end of such a process
generate    transformers' `generate`, one after the other       (child process)
batching    transformers' continuous batching                   (child process)
compare     all of them, one after the other
"""
