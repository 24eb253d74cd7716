#!/usr/bin/env python3
"""Times whole runs of gops that deploy many files, next to CFEngine and to a floor.

    figures.py first|nothing|delete|linear|hosts|all [--gops FILE] [--runs N] [--files N] [--folder DIR]

first    the first deploy, durable; CFEngine, which does not sync; the batched floor (floor.rs)
nothing  one more run, compile included; CFEngine
delete   every tenth file is dropped; CFEngine, which is told of each that is to go
hosts    nothing to do on ten hosts over ssh (each an sshd on a port of the loopback), the same with ten
         folders of this machine in their place, and what connecting costs
linear   a quarter, a half and all of --files (100,000): how time grows, and the peak of memory over
         that of a compile, a resource

Commands that are compared take turns within one run, and what is printed are medians: a shared machine
adds noise to both alike. CPU time (user and system) stands beside wall time, since it suffers less. Of a
sync the wall time is the disk's. `cf-agent` is Debian's cfengine3; without it, it is left out.
"""
import argparse, json, os, shutil, socket, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
MODEL = """use std::files::TextFile

slice File in "slices/files" { key name: string, content: string, mode: FileMode }

impl File { TextFile { path: "/${name}", content, mode } }
"""


def name(i):
    return f"f{i:06d}.conf"


def content(i):
    return f"# managed file {i}\nname = service-{i}\nport = {10000 + i % 50000}\nenv = prod\n"


def mode(i):
    return "0644" if i % 2 else "0600"


class Work:
    """N managed files as a project of gops and as a policy of CFEngine, and where each puts them."""

    def __init__(self, folder, n):
        self.folder, self.n = folder, n
        self.instances = f"{folder}/project/slices/files"
        os.makedirs(self.instances)
        os.makedirs(f"{folder}/project/model")
        self.write("project/gops.toml", 'name = "files"\nedition = "2026"\n')
        self.write("project/model/main.gops", MODEL)
        for i in range(n):
            self.add(i)
        self.count = 0
        self.begin()

    def write(self, path, text):
        with open(f"{self.folder}/{path}", "w") as file:
            file.write(text)

    def add(self, i):
        fields = {"name": name(i), "content": content(i), "mode": mode(i)}
        self.write(f"project/slices/files/{name(i)}.json", json.dumps(fields))

    def policy(self, file, dropped):
        lines = [
            'body common control { bundlesequence => { "main" }; }',
            # What it warns of where it is left out, for each file.
            'body perms m(mode) { mode => "$(mode)"; rxdirs => "false"; }',
            'body delete tidy { dirlinks => "delete"; rmdirs => "true"; }',
            "bundle agent main {",
            "  files:",
        ]
        for i in range(self.n):
            path = f'"{self.target("cfengine")}/{name(i)}"'
            if i in dropped:
                lines.append(f"    {path} delete => tidy;")
            else:
                text = content(i)
                lines.append(f'    {path} create => "true", content => "{text}", perms => m("{mode(i)[1:]}");')
        self.write(file, "\n".join(lines + ["}", ""]))

    def target(self, of):
        return f"{self.folder}/{of}-{self.count}"

    def begin(self):
        """From now on nothing is deployed. What was is not taken away: without a journal, ext4 takes ten
        times as long to make a file while it has just removed as many."""
        self.count += 1
        for of in ["gops", "cfengine", "floor", "state"]:
            os.mkdir(self.target(of))
        self.policy("all.cf", ())

    def gops(self, command):
        arguments = [GOPS, "-C", f"{self.folder}/project", "--no-progress", command]
        if command == "deploy":
            arguments += ["--yes", "--root", self.target("gops"), "--state", self.target("state")]
        return arguments

    def cfengine(self, policy="all.cf"):
        return ["cf-agent", "-K", "-f", f"{self.folder}/{policy}"]

    def floor(self):
        return [FLOOR, str(self.n), self.target("floor")]

    def deployed(self, of="gops"):
        return len(os.listdir(self.target(of)))


class Run:
    """What a process took."""

    def __init__(self, command):
        # What was written before is not this one's to sync.
        os.sync()
        with open(os.devnull, "w") as nothing:
            started = time.monotonic()
            process = subprocess.Popen(command, stdout=nothing, stderr=nothing)
            _, status, used = os.wait4(process.pid, 0)
            self.wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
        self.cpu = used.ru_utime + used.ru_stime
        self.peak = used.ru_maxrss * 1024


def median(runs, what):
    return statistics.median(getattr(run, what) for run in runs)


def show(label, runs):
    wall, cpu, peak = (median(runs, what) for what in ["wall", "cpu", "peak"])
    spread = f"{min(run.wall for run in runs):.3f} to {max(run.wall for run in runs):.3f}"
    print(f"  {label:<18} wall {wall:7.3f} s ({spread})  cpu {cpu:7.3f} s  peak {peak / 2**20:6.1f} MiB")


def compare(label, ours, theirs):
    """The ratio pair by pair: what disturbs one of a pair disturbs the other, too."""
    for what in ["wall", "cpu"]:
        ratios = [getattr(a, what) / getattr(b, what) for a, b in zip(ours, theirs)]
        print(f"  {label}, {what}: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


def load():
    with open("/proc/loadavg") as file:
        return " ".join(file.read().split()[:3])


def turns(title, before):
    """Runs commands in turn, which `before` yields, RUNS times after one that is not counted."""
    print(f"{title}, {RUNS} runs of each in turn, load before: {load()}")
    taken = {}
    for count in range(RUNS + 1):
        for label, command in before().items():
            run = Run(command)
            if count > 0:
                taken.setdefault(label, []).append(run)
    for label, runs in taken.items():
        show(label, runs)
    for label, runs in taken.items():
        if label != "gops":
            compare(f"gops to {label}", taken["gops"], runs)
    print(f"  load after: {load()}")
    return taken


def first(folder, n):
    work = Work(f"{folder}/first", n)

    def before():
        work.begin()
        found = {"gops": work.gops("deploy")}
        if CFENGINE:
            found["CFEngine"] = work.cfengine()
        if FLOOR:
            found["floor"] = work.floor()
        return found

    turns(f"first deploy of {n} files", before)
    assert work.deployed() == n


def peers(work, policy="all.cf"):
    found = {"gops": work.gops("deploy")}
    if CFENGINE:
        found["CFEngine"] = work.cfengine(policy)
    return found


def nothing(folder, n):
    work = Work(f"{folder}/nothing", n)
    for command in peers(work).values():
        Run(command)
    turns(f"nothing to do for {n} files", lambda: peers(work))
    assert work.deployed() == n


def delete(folder, n):
    work = Work(f"{folder}/delete", n)
    dropped = set(range(0, n, 10))

    def before():
        for i in dropped:
            work.add(i)
        work.begin()
        work.policy("dropped.cf", dropped)
        for command in peers(work).values():
            Run(command)
        for i in dropped:
            os.remove(f"{work.instances}/{name(i)}.json")
        return peers(work, "dropped.cf")

    turns(f"{len(dropped)} of {n} files dropped", before)
    assert work.deployed() == n - len(dropped)


def linear(folder, n):
    sizes = [n // 4, n // 2, n]
    print(f"how it grows, {RUNS} runs of each, load before: {load()}")
    medians = {}
    works = {size: Work(f"{folder}/linear{size}", size) for size in sizes}
    for size, work in works.items():
        taken = {"compile": [], "first deploy": [], "nothing to do": []}
        for count in range(RUNS + 1):
            work.begin()
            for label in taken:
                run = Run(work.gops("compile" if label == "compile" else "deploy"))
                if count > 0:
                    taken[label].append(run)
        print(f"  {size} files")
        for label, runs in taken.items():
            show(label, runs)
            medians[size, label] = runs
        for label in ["first deploy", "nothing to do"]:
            more = median(taken[label], "peak") - median(taken["compile"], "peak")
            print(f"  {label}: {more / size / 1024:.2f} KiB a resource more than compiling it")
    for label in ["compile", "first deploy", "nothing to do"]:
        for less, more in zip(sizes, sizes[1:]):
            wall, cpu = (median(medians[more, label], what) / median(medians[less, label], what) for what in ["wall", "cpu"])
            print(f"  {label}, {more} to {less} files: wall {wall:.2f}, cpu {cpu:.2f}")
    print(f"  load after: {load()}")


HOSTS = 10
HOSTS_MODEL = """use std::files::TextFile
use std::host::Host
use std::net::Port

slice Machine in "slices/machines" {
    key name: string
    ssh: bool
    port: Port
    identity_file: string
    host_key: string
}

slice File in "slices/files" { key name: string, machine: ref<Machine>, content: string }

impl File {
    if machine.ssh {
        let host = Host {
            name: machine.name
            transport: ssh {
                address: "127.0.0.1"
                port: machine.port
                identity_file: machine.identity_file
                host_key: machine.host_key
            }
        }
        TextFile { host, path: "/${name}", content }
    } else {
        let host = Host { name: machine.name }
        TextFile { host, path: "/${name}", content }
    }
}
"""


class Sshd:
    """A host: an sshd of its own with a home of its own."""

    def __init__(self, folder, key):
        os.makedirs(folder)
        self.host_key = keygen(f"{folder}/host")
        with open(f"{folder}/authorized", "w") as file:
            file.write(key + "\n")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = [
            f"Port {self.port}", "ListenAddress 127.0.0.1", f"HostKey {folder}/host", "PidFile none",
            f"AuthorizedKeysFile {folder}/authorized", "StrictModes no", "UsePAM no",
            "PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin yes",
            f"SetEnv HOME={folder} XDG_STATE_HOME={folder}/state XDG_CACHE_HOME={folder}/cache",
        ]
        with open(f"{folder}/config", "w") as file:
            file.write("\n".join(config) + "\n")
        sshd = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = subprocess.Popen([sshd, "-D", "-f", f"{folder}/config", "-E", f"{folder}/log"])
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.01)


def keygen(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    with open(f"{path}.pub") as file:
        return " ".join(file.read().split()[:2])


class Watched:
    """A deploy, when it began to look, which is once all hosts are connected to, and when it ended."""

    def __init__(self, folder):
        arguments = [GOPS, "-C", f"{folder}/project", "--no-progress", "deploy", "--yes", "--json"]
        arguments += ["--root", f"{folder}/root", "--state", f"{folder}/state"]
        started = time.monotonic()
        self.looking = None
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=os.environ | {"HOME": folder}) as process:
            for line in process.stdout:
                if self.looking is None and json.loads(line)["event"] == "looking":
                    self.looking = time.monotonic() - started
        if process.returncode != 0:
            sys.exit(f"{' '.join(arguments)}: exit code {process.returncode}")
        self.wall = time.monotonic() - started
        self.rest = self.wall - self.looking


def hosts(folder, n):
    if not shutil.which("ssh-keygen"):
        return print("hosts: left out, there is no ssh here")
    os.makedirs("/run/sshd", exist_ok=True)
    folders = {label: f"{folder}/{label}" for label in ["local", "ssh"]}
    os.makedirs(folders["ssh"])
    key = keygen(f"{folders['ssh']}/key")
    machines = [Sshd(f"{folders['ssh']}/host{i}", key) for i in range(HOSTS)]
    try:
        for label, at in folders.items():
            for part in ["project/model", "project/slices/machines", "project/slices/files", "root", "state"]:
                os.makedirs(f"{at}/{part}")
            put = lambda path, text: open(f"{at}/project/{path}", "w").write(text)
            put("gops.toml", 'name = "hosts"\nedition = "2026"\n')
            put("model/main.gops", HOSTS_MODEL)
            for i, sshd in enumerate(machines):
                fields = {"name": f"h{i}", "ssh": label == "ssh", "port": sshd.port}
                fields |= {"identity_file": f"{folders['ssh']}/key", "host_key": sshd.host_key}
                put(f"slices/machines/h{i}.json", json.dumps(fields))
            for i in range(n):
                fields = {"name": name(i), "machine": f"h{i % HOSTS}", "content": content(i)}
                put(f"slices/files/{name(i)}.json", json.dumps(fields))
        print(f"nothing to do on {HOSTS} hosts, {n} files, {RUNS} runs of each in turn, load before: {load()}")
        for at in folders.values():
            print(f"  first deploy, with the program copied to each host: {Watched(at).wall:.3f} s")
        runs = {label: [] for label in folders}
        for count in range(RUNS + 1):
            for label, at in folders.items():
                run = Watched(at)
                if count > 0:
                    runs[label].append(run)
        for label, taken in runs.items():
            parts = (median(taken, what) for what in ["wall", "looking", "rest"])
            print("  {:<6} whole {:.3f} s, up to the first look {:.3f} s, from there {:.3f} s".format(label, *parts))
        pairs = list(zip(runs["ssh"], runs["local"]))
        up = [(local.looking + ssh.rest) / local.wall for ssh, local in pairs]
        cold = [ssh.looking - local.looking for ssh, local in pairs]
        print(f"  connections up, to the local one: {statistics.median(up):.2f} ({min(up):.2f} to {max(up):.2f})")
        print(f"  connecting to all {HOSTS} at once: {statistics.median(cold):.3f} s")
        print(f"  load after: {load()}")
    finally:
        for sshd in machines:
            sshd.process.terminate()


def floor_program(folder):
    program = f"{folder}/floor-program"
    try:
        subprocess.run(["rustc", "-O", "--edition", "2024", "-o", program, f"{HERE}/floor.rs"], check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return program


def main():
    global GOPS, FLOOR, CFENGINE, RUNS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["first", "nothing", "delete", "linear", "hosts", "all"])
    parser.add_argument("--gops", default=f"{HERE}/../../target/release/gops", help="the program")
    parser.add_argument("--runs", type=int, default=7, help="how often each command runs")
    parser.add_argument("--files", type=int, help="how many, on all hosts together; 5,000, and 100,000 for linear")
    parser.add_argument("--folder", help="where to work; a file system that is a disk's")
    options = parser.parse_args()
    GOPS, RUNS = os.path.abspath(options.gops), options.runs
    CFENGINE = shutil.which("cf-agent")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        folder = os.path.realpath(folder)
        FLOOR = floor_program(folder)
        for what, size in [(first, 5_000), (nothing, 5_000), (delete, 5_000), (hosts, 5_000), (linear, 100_000)]:
            if options.what in [what.__name__, "all"]:
                what(folder, options.files or size)


main()
