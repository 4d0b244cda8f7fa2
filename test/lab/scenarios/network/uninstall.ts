/** `styr uninstall` takes away what the network made of a host, and nothing else. */
import assert from "node:assert/strict";
import type { Host } from "../../harness/host.ts";
import { processesOfHost, readIfThere } from "../../harness/lab-cgroups.ts";
import { mustStyr, STYR } from "../../harness/styr.ts";
import { until } from "../../harness/wait.ts";
import type { Scene } from "../scenario.ts";

/** Comments, and iptables' own tables, which are there, empty, as soon as somebody looked at them. */
const NO_RULE = /: (#|$)|^nft: table ip (filter|nat|mangle|raw)$|^iptables-save: (\*|COMMIT|:[A-Z]+ [A-Z]+)/;

/** What a host's network consists of, in lines that do not differ from one look to the next. */
export async function networkOf(host: Host): Promise<readonly string[]> {
  const looks = [
    ["ip", "-br", "link"],
    ["ip", "-br", "-4", "addr"],
    ["ip", "-4", "route", "show", "table", "all"],
    ["ip", "rule"],
    ["nft", "list", "tables"],
    ["iptables-save"],
    ["sysctl", "net.ipv4.ip_forward", "net.ipv4.conf.all.rp_filter", "net.ipv4.conf.all.route_localnet"],
    // Also in hierarchies that only Docker makes cgroups in.
    ["find", "/sys/fs/cgroup", "-maxdepth", "2", "-name", "styrmann*"],
  ];
  const said = await Promise.all(looks.map((words) => host.must(words)));
  const lines = said.flatMap((text, at) => text.split("\n").map((line) => `${looks[at]?.[0]}: ${line}`));
  return lines.map(plain).filter((line) => !NO_RULE.test(line));
}

/** Without counters, widths of columns, numbers that the kernel gives and cards that Docker draws by lot. */
function plain(line: string): string {
  return line
    .replace(/ counter packets \d+ bytes \d+/, "")
    .replace(/\[\d+:\d+\]/, "")
    .replace(/@if\d+/, "")
    .replace(/ 02:42(:[0-9a-f]{2}){4}/, "")
    .replace(/ +/g, " ")
    .trimEnd();
}

export async function uninstallLeavesNothing(
  { cluster, measured }: Scene,
  before: ReadonlyMap<Host, readonly string[]>,
): Promise<void> {
  const each = cluster.agents.map((host) => uninstall(cluster, host));
  // Each to its end, so that the words of one that failed are not those of a lab that is taken away.
  for (const one of await Promise.allSettled(each)) if (one.status === "rejected") throw one.reason;
  for (const host of cluster.agents) {
    const was = before.get(host) ?? [];
    const is = await networkOf(host);
    measured.note(`after uninstall, of ${is.length} lines of ${host.name}`, `${difference(was, is).length} differ`);
    assert.deepEqual(difference(was, is), [], `the network of ${host.name} is as it was`);
  }
}

async function uninstall(cluster: Scene["cluster"], host: Host): Promise<void> {
  await host.signal(STYR, "SIGTERM");
  const said = await mustStyr(host, cluster.programOf(host), ["uninstall", "--yes"], { timeoutMs: 120_000 });
  assert.match(said, /gone/);
  await until(`no process of styr is on ${host.name}`, () => styrOn(host).length === 0, {
    seen: () => styrOn(host).join("\n"),
    withinMs: 10_000,
  });
}

function styrOn(host: Host): readonly string[] {
  const lines = processesOfHost(host.cgroup).map((pid) => readIfThere(`/proc/${pid}/cmdline`).replaceAll("\0", " "));
  return lines.filter((line) => /styr|haproxy/.test(line) && !/containerd|dockerd|init\.sh/.test(line));
}

function difference(was: readonly string[], is: readonly string[]): readonly string[] {
  return [
    ...is.filter((line) => !was.includes(line)).map((line) => `+ ${line}`),
    ...was.filter((line) => !is.includes(line)).map((line) => `- ${line}`),
  ];
}
