import type { Command } from "commander";
import type { Options, Settings } from "../app/settings.ts";
import type { UpIo } from "../app/up-io.ts";
import { CliFailure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  const command = program
    .command("up")
    .description("Start a cluster on this machine: control plane and agent in one process, until Ctrl-C.");
  withClusterNetwork(withAddresses(withReach(withStore(withPlace(command)))))
    .option("--new-store", "begin with an empty store although this node was asked to run pods, which stops them")
    .option("--demo", "run three small workloads, one per format, and show them")
    .option("--listen <host:port>", "where HTTPS is served (default: as before, else 0.0.0.0:7443)")
    .option("--http <host:port>", "plain HTTP as well, on loopback only")
    .option("--no-install", "install nothing: pods that need Docker wait until there is one")
    .option("--node-name <name>", "this machine's name in the cluster (default: its host name)")
    .option("--label <key=value>", "a label of this node, for each --label", (text: string, all: string[] = []) => [
      ...all,
      text,
    ])
    .option("--reserve-cpu <amount>", "CPU kept for the host (default: a twentieth)")
    .option("--reserve-memory <amount>", "memory kept for the host (default: a tenth)")
    .option("--strategy <name>", "spread or binpack", "spread")
    .option("--metrics <host:port>", "/metrics alone, in plain HTTP, for everybody who reaches it")
    .option("--log-level <level>", "debug, info, warn or error", "info")
    .action(async (options: Options & { readonly demo?: boolean; readonly newStore?: boolean }) => {
      const { up } = await import("../app/up.ts");
      await inWords(async () => {
        const settings = await settingsHere(options);
        const io = processIo(terminal);
        await asDaemon(settings, () =>
          up(settings, io, { demo: options.demo === true, newStore: options.newStore === true }),
        );
      });
    });
}

/** Options as given, with what the state directory remembers of earlier ones. */
export async function settingsHere(options: Options): Promise<Settings> {
  const { readSettings } = await import("../app/settings.ts");
  const { readPlace, withRemembered } = await import("../app/instance.ts");
  const { readMembership } = await import("../app/membership.ts");
  const { stateDir } = readSettings(options);
  const nodeName = (await readMembership(stateDir))?.nodeName;
  const remembered = withRemembered(options, await readPlace(stateDir));
  return readSettings({ ...(nodeName === undefined ? {} : { nodeName }), ...remembered });
}

export function processIo(terminal: Terminal): UpIo {
  return { say: (line: string) => terminal.out(`${line}\n`), signal: untilStopped(terminal) };
}

/** How others reach a server. */
export function withReach(command: Command): Command {
  return command
    .option(
      "--advertise <host:port>",
      "where agents and other servers reach this one (default: as before, else this host's address)",
    )
    .option(
      "--tls-name <name>",
      "a further name or address that this server is reached by, for each --tls-name",
      (text: string, all: string[] = []) => [...all, text],
    );
}

/** Where the control plane keeps its state. */
export function withStore(command: Command): Command {
  return command
    .option(
      "--store <store>",
      "sqlite, or etcd://HOST:PORT,HOST:PORT for several servers (default: as before, else sqlite)",
    )
    .option("--store-ca <file>", "the CA of the etcd members; TLS is spoken with them")
    .option("--store-cert <file>", "with which this server proves itself to etcd")
    .option("--store-key <file>", "the key of --store-cert")
    .option("--store-user <name>", "a user of etcd")
    .option("--store-password-file <file>", "its password, on the first line")
    .option("--store-prefix <path>", "every key in etcd begins with it (default: /styrmann/)")
    .option(
      "--master-key-file <file>",
      "the key that secrets are sealed with (default: pki/master.key, made by itself)",
    )
    .option("--passphrase-file <file>", "a passphrase instead, on the first line");
}

/** What says which cluster on this machine is meant; `down` takes the same. */
export function withPlace(command: Command): Command {
  return command
    .option("--state <dir>", "where everything is kept (root: /var/lib/styrmann)")
    .option("--pod-range <cidr>", "addresses of this node's pods (default: what the cluster gives it)")
    .option("--network <name>", "name of the pods' bridge (default: styrmann)")
    .option("--cgroup <name>", "name of the cgroup that holds everything (default: styrmann)");
}

/** Whether this host's pods are part of the cluster's network. */
export function withClusterNetwork(command: Command): Command {
  return command
    .option("--cluster-network", "take part in the cluster's network again after --no-cluster-network")
    .option(
      "--no-cluster-network",
      "pods on a bridge of this host alone; no routes, no rules, no names of the cluster's",
    )
    .option(
      "--host-names",
      "processes and units of this host find names of the cluster: puts its server first in resolv.conf",
    )
    .option("--dns-ttl <seconds>", "how long those who ask may remember a name of the cluster (default: 5)")
    .option("--way-in", "HTTP and HTTPS from outside come in here (the node's label styrmann.dev/way-in=true)")
    .option("--no-way-in", "no more, after --way-in at an earlier start")
    .option("--way-in-ports <http,https>", "at which ports (default: 80,443)");
}

/** The addresses of the whole cluster. */
export function withAddresses(command: Command): Command {
  return command
    .option("--cluster-range <cidr>", "at a cluster's first start: pods' addresses (default: 10.42.0.0/16)")
    .option("--node-prefix <length>", "at a cluster's first start: each node's part of them (default: 24)")
    .option("--service-range <cidr>", "at a cluster's first start: addresses of Services (default: 10.96.0.0/12)")
    .option("--network-mode <mode>", "auto, routes, vxlan or wireguard: how packets reach other hosts' pods")
    .option("--vxlan-port <port>", "UDP port of VXLAN (default: 8472)");
}

/** A process that lives long: a bug in it ends it, and says why in its log and on stderr. */
export async function asDaemon(settings: Settings, work: () => Promise<void>): Promise<void> {
  const { endInWords } = await import("../app/end-in-words.ts");
  const { foldersOf } = await import("../app/node-side.ts");
  const forget = endInWords(foldersOf(settings.stateDir).logs);
  try {
    await work();
  } finally {
    forget();
  }
}

/** What went wrong on the way up is nobody's bug: say it in words. */
export async function inWords(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof TypeError || error instanceof ReferenceError || (error as Error).name === "AssertionFailure")
      throw error;
    throw new CliFailure((error as Error).message);
  }
}

/** The first Ctrl-C asks, the second insists. */
export function untilStopped(terminal: Terminal): AbortSignal {
  const controller = new AbortController();
  const stop = (code: number) => {
    if (controller.signal.aborted) {
      terminal.err("styr: stopped at once\n");
      process.exit(code);
    }
    controller.abort();
  };
  process.on("SIGINT", () => stop(130));
  process.on("SIGTERM", () => stop(143));
  process.on("SIGHUP", () => stop(129));
  return controller.signal;
}
