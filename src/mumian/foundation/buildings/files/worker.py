"""The worker: reads one IFC file in a process of its own, within limits of memory and time, and answers with a report."""

import resource
import sys

import msgspec

from mumian.foundation.buildings.files.job import IfcReport, Job


def main() -> None:
    """Read a Job from standard input, answer with an IfcReport on standard output."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    resource.setrlimit(resource.RLIMIT_CPU, (job.seconds, job.seconds))
    resource.setrlimit(resource.RLIMIT_AS, (job.memory, job.memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.buffer.write(msgspec.json.encode(work(job)))


def work(job: Job) -> IfcReport:
    """What became of a job; a file that cannot be read is an answer, too."""
    from mumian.foundation.buildings.files.ifc import Unreadable, read

    try:
        return read(job.path)
    except Unreadable as error:
        return IfcReport(unreadable=str(error))
    except (MemoryError, RecursionError) as error:
        return IfcReport(unreadable=f"it asks for too much ({type(error).__name__})")
    except ModuleNotFoundError:
        return IfcReport(missing=True)
    except Exception as error:
        return IfcReport(unreadable=f"its entities do not fit together ({type(error).__name__}: {str(error)[:200]})")


if __name__ == "__main__":
    main()
