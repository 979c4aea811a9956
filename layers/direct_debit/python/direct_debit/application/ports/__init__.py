"""What the use cases need from the world. Adapters implement these; so does `tests/fakes`, under the same tests.

Everything that takes time, may fail, or differs from run to run is behind one of these Protocols: the deterministic
simulation lives from that.
"""
