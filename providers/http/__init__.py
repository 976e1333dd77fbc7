"""The one outbound transport. Plain Python: what it shares between processes it reaches through protocols.

calls.py      what a caller asks for, and how its answer is read
transport.py  sending: time-outs, retries of reads, size cap, outcome of each status
tokens.py     bearer tokens that processes share
circuit.py    holding calls back from a host that fails
files.py      bodies sent and kept piece by piece
record.py     the redacted call log
metrics.py    counters for Prometheus
"""

from providers.http.calls import Call, Problem, word
from providers.http.circuit import Admission, CircuitStore
from providers.http.files import Download, Upload
from providers.http.record import CallRecord, CallRecorder, about
from providers.http.tokens import Bearer, Token, TokenStore
from providers.http.transport import Timeouts, Transport

__all__ = [
    "Admission",
    "Bearer",
    "Call",
    "CallRecord",
    "CallRecorder",
    "CircuitStore",
    "Download",
    "Problem",
    "Timeouts",
    "Token",
    "TokenStore",
    "Transport",
    "Upload",
    "about",
    "word",
]
