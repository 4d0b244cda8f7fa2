/** Names of what HAProxy reads and writes in its folders. */
export const FILES = {
  config: "haproxy.cfg",
  exact: "exact.map",
  prefix: "prefix.map",
  hosts: "hosts.map",
  backers: "backers.map",
  cuts: "cuts.map",
  challenges: "challenges.map",
  certificates: "certificates.list",
  socket: "haproxy.sock",
  master: "master.sock",
  pid: "haproxy.pid",
  log: "access.log",
} as const;
