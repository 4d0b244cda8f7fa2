/** How a listener shows the server's certificate and knows its clients by theirs, while both may change. */
import type { X509Certificate } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:https";
import type { Socket as NetSocket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import type { Actor } from "../../http/actor.ts";
import type { Connection } from "../../http/connection.ts";
import type { Pki } from "../pki.ts";

/** So many are looked at in one turn of the event loop: a signature costs a tenth of a millisecond. */
const SLICE = 50;
/** For answers that are under way to somebody who is nobody any more. */
const ANSWERS_MAY_TAKE_MS = 5000;

export function shownBy({ server: { caPem, certPem, keyPem } }: Pki) {
  return { ca: caPem, cert: certPem, key: keyPem, minVersion: "TLSv1.2" as const };
}

/** By what is believed now: `authorized` says what was when the connection was made, or the session that it resumes. */
export function certified({ socket }: IncomingMessage, pki: Pki): Pick<Connection, "actor" | "refusal"> {
  const certificate = certificateOf(socket as TLSSocket);
  if (!certificate) return { actor: undefined };
  const [actor, nowMs] = [actorOf(socket as TLSSocket, pki), Date.now()];
  const refusal = actor ? undefined : pki.refusalOfCertificate(certificate, nowMs);
  return { actor, ...(refusal === undefined ? {} : { refusal }) };
}

/** New connections see what holds now. Those that are there go on, unless whoever proved himself then is nobody any more. */
export function followTrust(server: Server, pki: Pki): void {
  const known = new KnownSockets(pki);
  server.on("connection", ({ remoteAddress }: NetSocket) => pki.strangers.came(remoteAddress, Date.now()));
  server.on("secureConnection", (socket: TLSSocket) => {
    pki.strangers.stayed(socket.remoteAddress);
    known.add(socket);
  });
  server.on("request", (request: IncomingMessage, response: ServerResponse) =>
    known.answering(request.socket as TLSSocket, response),
  );
  const forget = pki.onChange(() => {
    server.setSecureContext(shownBy(pki));
    void known.cutStrangers();
  });
  server.on("close", forget);
}

/** Connections of those who are known by a certificate. */
class KnownSockets {
  readonly #pki: Pki;
  /** With the number of answers that are under way. */
  readonly #answers = new Map<TLSSocket, number>();

  constructor(pki: Pki) {
    this.#pki = pki;
  }

  add(socket: TLSSocket): void {
    if (!actorOf(socket, this.#pki)) return;
    this.#answers.set(socket, 0);
    socket.on("close", () => this.#answers.delete(socket));
  }

  answering(socket: TLSSocket, response: ServerResponse): void {
    const before = this.#answers.get(socket);
    if (before === undefined) return;
    this.#answers.set(socket, before + 1);
    response.on("close", () => {
      const now = this.#answers.get(socket);
      if (now !== undefined) this.#answers.set(socket, now - 1);
    });
  }

  /** Links and idle connections at once; an answer that is under way was due when it was asked for. */
  async cutStrangers(): Promise<void> {
    const all = [...this.#answers.keys()];
    for (let at = 0; at < all.length; at += SLICE) {
      for (const socket of all.slice(at, at + SLICE)) if (!actorOf(socket, this.#pki)) this.#cut(socket);
      await nextTurn();
    }
  }

  #cut(socket: TLSSocket): void {
    if (!this.#answers.get(socket)) return void socket.destroy();
    setTimeout(() => socket.destroy(), ANSWERS_MAY_TAKE_MS).unref();
  }
}

function actorOf(socket: TLSSocket, pki: Pki): Actor | undefined {
  const certificate = certificateOf(socket);
  return certificate && pki.actorOfCertificate(certificate, Date.now());
}

/** A socket that is closed has none any more. */
function certificateOf(socket: TLSSocket): X509Certificate | undefined {
  return socket.getPeerX509Certificate?.();
}
