/** How a listener shows the server's certificate and knows its clients by theirs, while both may change. */
import type { IncomingMessage } from "node:http";
import type { Server } from "node:https";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import type { Actor } from "../../http/actor.ts";
import type { Pki } from "../pki.ts";

/** So many are looked at in one turn of the event loop: a signature costs a tenth of a millisecond. */
const SLICE = 50;

export function shownBy({ server: { caPem, certPem, keyPem } }: Pki) {
  return { ca: caPem, cert: certPem, key: keyPem, minVersion: "TLSv1.2" as const };
}

/** By what is believed now: `authorized` says what was when the connection was made, or the session that it resumes. */
export function certified({ socket }: IncomingMessage, pki: Pki): Actor | undefined {
  return actorOf(socket as TLSSocket, pki);
}

/** New connections see what holds now. Those that are there go on, unless whoever proved himself then is nobody any more. */
export function followTrust(server: Server, pki: Pki): void {
  const known = new Set<TLSSocket>();
  server.on("secureConnection", (socket: TLSSocket) => {
    if (!actorOf(socket, pki)) return;
    known.add(socket);
    socket.on("close", () => known.delete(socket));
  });
  const forget = pki.onChange(() => {
    server.setSecureContext(shownBy(pki));
    void cutStrangers([...known], pki);
  });
  server.on("close", forget);
}

async function cutStrangers(sockets: readonly TLSSocket[], pki: Pki): Promise<void> {
  for (let at = 0; at < sockets.length; at += SLICE) {
    for (const socket of sockets.slice(at, at + SLICE)) if (!actorOf(socket, pki)) socket.destroy();
    await nextTurn();
  }
}

/** A socket that is closed has no certificate any more. */
function actorOf(socket: TLSSocket, pki: Pki): Actor | undefined {
  const certificate = socket.getPeerX509Certificate?.();
  return certificate && pki.actorOfCertificate(certificate, Date.now());
}
