import { isIPv4 } from "node:net";
import type { NameRecord, NamesEntry } from "../model/network.ts";
import type { EntrySource } from "./entry-source.ts";

/**
 * Mesos-DNS names the master that leads (`leader.mesos`), all masters, and the framework's own scheduler (`marathon.mesos`): here the
 * server that leads is all of them. `address` is `host:port`, as others reach it.
 */
export function leaderNamesSource(address: string): EntrySource {
  return {
    name: "leader names",
    kinds: [],
    begin: (_reader, sink) => {
      const entry = leaderNames(address);
      if (entry) sink.put(entry);
    },
    changed: () => undefined,
  };
}

export function leaderNames(address: string): NamesEntry | undefined {
  const [, host = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  // An address of the server's host alone would name each host that asks.
  if (host === "" || host === "localhost" || /^(127|0)\./.test(host) || host.includes(":")) return undefined;
  const name = (label: string): NameRecord =>
    isIPv4(host)
      ? { type: "A", name: label, address: host }
      : { type: "CNAME", name: label, target: host.toLowerCase() };
  const service = (label: string, target: string): NameRecord => ({
    type: "SRV",
    name: label,
    target,
    port: Number(port),
  });
  return {
    ...{ kind: "names", id: "leader" },
    records: [
      ...["leader.mesos", "master.mesos", "marathon.mesos"].map(name),
      ...["_leader._tcp.mesos", "_master._tcp.mesos"].map((label) => service(label, "leader.mesos")),
      service("_framework._tcp.marathon.mesos", "marathon.mesos"),
    ],
  };
}
