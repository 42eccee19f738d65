"""The job script that Slurm would get, and the file that describes it."""

import re
import shutil

import pytest

from meanings.core.errors import MeaningsError
from meanings.study.slurm import job_script, read_slurm

ASKED = """
jobs: 3
walltime: "02:30:00"
queue: gpu
account: words
cpus: 6
memory: 24GB
gpus: 2
prologue: ["module load cuda", "source env/bin/activate"]
"""


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "cluster.yaml"
    file.write_text(ASKED)
    return file


def test_the_job_script_asks_for_what_the_file_says(file):
    lines = job_script(file).splitlines()
    asked = {line.removeprefix("#SBATCH ") for line in lines if line.startswith("#SBATCH")}
    assert asked == {
        "-J meanings",
        "-p gpu",
        "-A words",
        "-n 1",
        "--cpus-per-task=6",
        "--mem=23G",
        "-t 02:30:00",
        "--gres=gpu:2",
    }
    rest = [line for line in lines if line and not line.startswith("#")]
    assert rest[:3] == ["module load cuda", "source env/bin/activate", "export OMP_NUM_THREADS=6"]
    assert re.search(r"dask_worker tcp://.* --nthreads 1 .*--no-nanny", rest[3]) and len(rest) == 4


def test_the_workers_of_an_encrypted_scheduler_get_its_certificates(file, certificates):
    file.write_text(
        f"{ASKED}tls: {{ca_file: cert.pem, cert: cert.pem, key: {certificates}/key.pem}}"
    )
    for name in ("cert.pem", "key.pem"):
        shutil.copy(certificates / name, file.parent)
    (line,) = (line for line in job_script(file).splitlines() if "dask_worker" in line)
    here = file.parent
    assert "dask_worker tls://" in line
    for argument in (
        f"--tls-ca-file {here}/cert.pem",
        f"--tls-cert {here}/cert.pem",
        f"--tls-key {certificates}/key.pem",
    ):
        assert argument in line


@pytest.mark.parametrize(
    ("tls", "message"),
    [
        ("{ca_file: no.pem, cert: a.pem, key: b.pem}", "tls.ca_file: .*no.pem does not exist"),
        ("{ca_file: a.pem, cert: a.pem}", "field 'tls.key' is missing"),
        ("{ca_file: 'a;b', cert: a.pem, key: a.pem}", "tls.ca_file='a;b' is refused"),
        ("true", "tls=True is refused"),
    ],
)
def test_certificates_that_are_not_there_are_refused(file, tls, message):
    file.write_text(f"{ASKED}tls: {tls}")
    with pytest.raises(MeaningsError, match=message):
        job_script(file)


def test_no_gpu_is_asked_for_where_there_is_to_be_none(file):
    file.write_text(ASKED.replace("gpus: 2", "gpus: 0"))
    assert "gres" not in job_script(file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("jobs: 3", "jobs: 0"),
            "jobs=0 is refused: input should be greater than or equal to 1 (workers",
        ),
        (("jobs: 3\n", ""), "field 'jobs' is missing (workers at most, one job each)"),
        (('"02:30:00"', "soon"), "walltime='soon' is refused: string should match pattern"),
        (
            ("queue: gpu", "partition: gpu"),
            "unknown field 'partition'; allowed are jobs, walltime, queue",
        ),
        (("24GB", "much"), "memory='much' is refused: string should match"),
        ((ASKED, "- a"), "expected lines `name: value`, found list"),
        (("jobs: 3", "jobs: 3\njobs: 4"), "'jobs' occurs twice"),
        ((ASKED, "a: [b"), "not valid YAML"),
    ],
)
def test_a_bad_file_is_one_line(file, change, message):
    file.write_text(ASKED.replace(*change))
    with pytest.raises(MeaningsError) as error:
        read_slurm(file)
    assert (
        str(error.value).startswith(str(file))
        and message in str(error.value)
        and "\n" not in str(error.value)
    )


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(MeaningsError, match="none.yaml: cannot be read"):
        read_slurm(tmp_path / "none.yaml")
