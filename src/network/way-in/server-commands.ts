/** Where servers are, told to an HAProxy that runs, and heard from it. Pure. */
import { NOWHERE } from "./render-backend.ts";
import type { Slot, Slots } from "./slots.ts";

/** From one table of slots to the next, which has as many. Those that take requests first: there is never a moment without any. */
export function serverCommands(backend: string, before: Slots, after: Slots): readonly string[] {
  const [on, off]: [string[], string[]] = [[], []];
  for (const [at, slot] of after.entries()) {
    const old = before[at];
    if (slot === undefined || isSame(old, slot)) continue;
    const server = `set server ${backend}/s${at + 1}`;
    if (old?.address !== slot.address || old.port !== slot.port) {
      // Not while requests are given to it: they would go to the one address with the other's connection.
      if (old?.state === "on") on.push(`${server} state maint`);
      on.push(`${server} addr ${slot.address} port ${slot.port}`);
    }
    if (slot.state === "on") on.push(`${server} state ready`);
    else if (old?.state !== "off") off.push(`${server} state maint`);
  }
  return [...on, ...off];
}

function isSame(a: Slot | undefined, b: Slot): boolean {
  return a?.address === b.address && a.port === b.port && a.state === b.state;
}

/** Whether HAProxy refused one of the commands. */
export function refusedCommand(answer: string): string | undefined {
  return /^(?:No such|Invalid|Require|Unknown|Can't|Permission|.*[Ee]rror).*$/m.exec(answer)?.[0];
}

/** The tables of all backends, as `show servers state` tells them (HAProxy 2.6, management guide, 9.3). */
export function parseServersState(text: string): ReadonlyMap<string, Slots> {
  const found = new Map<string, (Slot | undefined)[]>();
  const [, header = "", ...lines] = text.split("\n");
  const names = header.replace(/^# /, "").split(" ");
  const [backendAt, serverAt, addressAt, portAt, adminAt] = [
    ...["be_name", "srv_name", "srv_addr", "srv_port", "srv_admin_state"].map((name) => names.indexOf(name)),
  ] as [number, number, number, number, number];
  for (const line of lines) {
    const cells = line.split(" ");
    const [backend, server, address = "", port = ""] = [
      cells[backendAt],
      cells[serverAt],
      cells[addressAt],
      cells[portAt],
    ];
    const at = Number(server?.slice(1)) - 1;
    if (backend === undefined || !(at >= 0)) continue;
    const slots = found.get(backend) ?? [];
    found.set(backend, slots);
    // 0x01: forced maintenance (SRV_ADMF_FMAINT).
    const state = (Number(cells[adminAt]) & 1) === 1 ? "off" : "on";
    slots[at] = `${address}:${port}` === NOWHERE ? undefined : { address, port: Number(port), state };
  }
  return found;
}
