/**
 * The file of each command. For whoever writes one (up.ts and down.ts among them): it exports
 * `register(program: Command, terminal: Terminal): void`, which adds its commander command, with its action, to the
 * program; it is loaded only when its word is on the command line, and imports what is heavy inside its action. The
 * action throws CliFailure (failure.ts) or ClientError to end with a message and an exit code; the action's last
 * argument is the Command, whose `optsWithGlobals()` has --server, --token, --ca and --no-color. A new command is one
 * line here and one in command-list.ts.
 */
import type { Command } from "commander";
import type { CommandName } from "./command-list.ts";
import type { Terminal } from "./terminal.ts";

export interface CommandModule {
  register(program: Command, terminal: Terminal): void;
}

export const commandFiles: Readonly<Record<CommandName, () => Promise<CommandModule>>> = {
  up: () => import("./up.ts"),
  server: () => import("./server.ts"),
  agent: () => import("./agent.ts"),
  down: () => import("./down.ts"),
  join: () => import("./join.ts"),
  service: () => import("./service.ts"),
  uninstall: () => import("./uninstall.ts"),
  apply: () => import("./apply.ts"),
  ps: () => import("./ps.ts"),
  why: () => import("./why.ts"),
  logs: () => import("./logs.ts"),
  events: () => import("./events.ts"),
  inspect: () => import("./inspect.ts"),
  status: () => import("./status.ts"),
  top: () => import("./top.ts"),
  network: () => import("./network.ts"),
  scale: () => import("./scale.ts"),
  delete: () => import("./delete.ts"),
  exec: () => import("./exec.ts"),
  "port-forward": () => import("./port-forward.ts"),
  routes: () => import("./routes.ts"),
  expose: () => import("./expose.ts"),
  unexpose: () => import("./unexpose.ts"),
  services: () => import("./services.ts"),
  nodes: () => import("./nodes.ts"),
  label: () => import("./label.ts"),
  cordon: () => import("./cordon.ts"),
  uncordon: () => import("./cordon.ts"),
  drain: () => import("./drain.ts"),
  rebalance: () => import("./rebalance.ts"),
  forget: () => import("./forget.ts"),
  brake: () => import("./brake.ts"),
  settings: () => import("./settings.ts"),
  user: () => import("./user.ts"),
  audit: () => import("./audit.ts"),
  token: () => import("./token.ts"),
  ca: () => import("./ca.ts"),
  backup: () => import("./backup.ts"),
  restore: () => import("./restore.ts"),
  store: () => import("./store.ts"),
  secrets: () => import("./secrets.ts"),
  "support-bundle": () => import("./support-bundle.ts"),
  completion: () => import("./completion.ts"),
  version: () => import("./version.ts"),
};
