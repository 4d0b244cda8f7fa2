/** The commands of `styr`, as help and shell completion list them. What each does is in its own file: commands.ts. */
export interface CommandEntry {
  readonly name: string;
  readonly group: "Run" | "Look" | "Change" | "Nodes" | "Access" | "Other";
  readonly summary: string;
  /** What its first argument names, for completion. */
  readonly takes?: "workload" | "node" | "file" | "shell";
}

export const commandList = [
  { name: "up", group: "Run", summary: "start a cluster on this machine" },
  { name: "server", group: "Run", summary: "a control plane without an agent: one, or several on etcd" },
  { name: "agent", group: "Run", summary: "run what the cluster that this host has joined assigns to it" },
  { name: "down", group: "Run", summary: "stop it and remove all that it made" },
  { name: "join", group: "Run", summary: "make this host part of a cluster" },
  { name: "service", group: "Run", summary: "have it started at boot: install, remove, print" },
  { name: "uninstall", group: "Run", summary: "leave the cluster and remove all of styr on this host" },
  {
    name: "apply",
    group: "Run",
    summary: "run what a file asks for: fleet unit, Marathon app, Kubernetes",
    takes: "file",
  },
  { name: "ps", group: "Look", summary: "what is wanted and what runs", takes: "workload" },
  { name: "why", group: "Look", summary: "why it is where and how it is, and what would help", takes: "workload" },
  { name: "logs", group: "Look", summary: "output of all copies", takes: "workload" },
  { name: "events", group: "Look", summary: "what happened", takes: "workload" },
  { name: "services", group: "Look", summary: "addresses and ports under which copies are reached, and who answers" },
  { name: "inspect", group: "Look", summary: "the stored objects behind a name", takes: "workload" },
  { name: "status", group: "Look", summary: "how the cluster fares" },
  {
    name: "network",
    group: "Look",
    summary: "how nodes reach each other, and where a connection stops: status, trace",
  },
  { name: "top", group: "Look", summary: "CPU and memory of what runs", takes: "workload" },
  { name: "scale", group: "Change", summary: "change the number of copies", takes: "workload" },
  { name: "delete", group: "Change", summary: "stop and forget", takes: "workload" },
  { name: "exec", group: "Change", summary: "run a command inside a copy", takes: "workload" },
  {
    name: "port-forward",
    group: "Change",
    summary: "reach a port of a copy at a port of this machine",
    takes: "workload",
  },
  { name: "routes", group: "Look", summary: "host names and paths that come in from outside, and where they lead" },
  { name: "expose", group: "Change", summary: "reach it from outside by a host name", takes: "workload" },
  { name: "unexpose", group: "Change", summary: "take that back", takes: "workload" },
  { name: "nodes", group: "Nodes", summary: "hosts, their room and their health", takes: "node" },
  { name: "label", group: "Nodes", summary: "labels of a node: show, set, take away", takes: "node" },
  { name: "cordon", group: "Nodes", summary: "place nothing new on a node", takes: "node" },
  { name: "uncordon", group: "Nodes", summary: "place pods on it again", takes: "node" },
  { name: "drain", group: "Nodes", summary: "move its pods elsewhere: start before stop", takes: "node" },
  { name: "rebalance", group: "Nodes", summary: "even out what lies unevenly: plan, apply, stop" },
  { name: "forget", group: "Nodes", summary: "say that a node is gone for good", takes: "node" },
  { name: "brake", group: "Nodes", summary: "nothing is moved while too many nodes are silent: show, release" },
  {
    name: "settings",
    group: "Nodes",
    summary: "when a node is lost, how fast pods move, how much may be asked: show, set",
  },
  { name: "user", group: "Access", summary: "who may do what, and their tokens: create, grant, token, kubeconfig" },
  { name: "audit", group: "Access", summary: "who did what, from where, and what was refused" },
  { name: "token", group: "Nodes", summary: "let further hosts join: create, list, revoke" },
  { name: "ca", group: "Nodes", summary: "the CA and its certificates: show, rotate, revoke" },
  {
    name: "backup",
    group: "Other",
    summary: "everything the cluster knows, in a file; or check such a file",
    takes: "file",
  },
  { name: "restore", group: "Other", summary: "a control plane from a backup: make, status, confirm", takes: "file" },
  { name: "store", group: "Other", summary: "move a stopped server's store to etcd and back, or check it" },
  { name: "secrets", group: "Other", summary: "keys that secrets are encrypted with: status, rotate, rekey" },
  { name: "support-bundle", group: "Other", summary: "one file for whoever helps, without secrets", takes: "file" },
  { name: "completion", group: "Other", summary: "shell completion: bash, zsh, fish", takes: "shell" },
  { name: "version", group: "Other", summary: "versions of client and server" },
] as const satisfies readonly CommandEntry[];

export type CommandName = (typeof commandList)[number]["name"];

/** These work on this machine alone: a server that is named would mislead. */
export const LOCAL_COMMANDS: ReadonlySet<string> = new Set<CommandName>([
  "up",
  "server",
  "agent",
  "down",
  "join",
  "service",
  "uninstall",
  "store",
]);
