/**
 * HTTPS to a server of which only the hash of its CA's public key is known. First the CA is fetched and held against the hash,
 * over a connection on which nothing is said; only then is a second one opened, with that CA as the only one that is believed.
 */
import { X509Certificate } from "node:crypto";
import { request } from "node:https";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { serverOutOfTime } from "../model/certificate-time.ts";
import { keyHashOf } from "./key-hash.ts";

/** Why the other side is not believed, or was not reached, in words that say what to do. Nothing secret was sent. */
export class TrustError extends Error {
  override readonly name = "TrustError";
}

const TIMEOUT_MS = 15_000;
/** Servers come from an untrusted place until they are checked: more certificates than that are no chain of ours. */
const MOST_CERTIFICATES = 8;

/** PEM of the CA that this server shows and whose public key has that hash. Nothing is sent. Rejects with TrustError. */
export async function fetchCa(url: URL, pin: string, signal?: AbortSignal): Promise<string> {
  const shown = await shownBy(url, signal);
  const ca = shown.find((one) => keyHashOf(one.publicKey) === pin);
  if (ca?.ca && ca.verify(ca.publicKey)) return pemOf(ca);
  throw new TrustError(
    `${url.host} does not show the CA that the token was made for. Either something between here and there answers in its name: then go no further; or the cluster's CA was changed, or this is another cluster: make a new token there (styr token create)`,
  );
}

export interface PinnedAnswer {
  readonly status: number;
  readonly text: string;
  /** The server's time, as its answer says it. */
  readonly date?: string;
}

/** POSTs JSON to a server whose certificate that CA must have signed, for the host of `url`. Rejects with TrustError. */
export function postJson(url: URL, caPem: string, body: unknown, options: ClientIdentity = {}): Promise<PinnedAnswer> {
  const payload = Buffer.from(JSON.stringify(body));
  const { certPem, keyPem, signal } = options;
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: "POST",
      ca: caPem,
      agent: false,
      timeout: TIMEOUT_MS,
      minVersion: "TLSv1.2",
      headers: { "Content-Type": "application/json", "Content-Length": payload.length, Accept: "application/json" },
      ...(certPem === undefined || keyPem === undefined ? {} : { cert: certPem, key: keyPem }),
      ...(signal === undefined ? {} : { signal }),
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    sent.on("error", (error: NodeJS.ErrnoException) => reject(problemOf(url, error)));
    sent.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", (error) => reject(problemOf(url, error)));
      response.on("end", () => {
        const { statusCode: status = 0, headers } = response;
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status, text, ...(headers.date === undefined ? {} : { date: headers.date }) });
      });
    });
    sent.end(payload);
  });
}

export interface ClientIdentity {
  readonly certPem?: string;
  readonly keyPem?: string;
  readonly signal?: AbortSignal;
}

/** The certificates that the server shows, its own first. */
function shownBy(url: URL, signal: AbortSignal | undefined): Promise<readonly X509Certificate[]> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({
      host,
      port: Number(url.port || 443),
      // Looked at and hung up on: whether it is believed is decided by the caller.
      rejectUnauthorized: false,
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    const fail = (error: Error) => {
      socket.destroy();
      reject(problemOf(url, error));
    };
    const onAbort = () => fail(new Error("given up"));
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.on("close", () => signal?.removeEventListener("abort", onAbort));
    socket.setTimeout(TIMEOUT_MS, () => fail(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    socket.on("error", fail);
    socket.on("secureConnect", () => {
      resolve(chainOf(socket));
      socket.destroy();
    });
  });
}

function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next && chain.length < MOST_CERTIFICATES && !chain.some(({ raw }) => next?.raw.equals(raw))) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

function pemOf(certificate: X509Certificate): string {
  return new X509Certificate(certificate.raw).toString();
}

/** A failed connection in words. */
function problemOf(url: URL, error: NodeJS.ErrnoException): TrustError {
  const { code = "", message } = error;
  const untimely = serverOutOfTime(code, url.host);
  if (untimely !== undefined) return new TrustError(untimely);
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return new TrustError(
      `the certificate of ${url.host} is not for that address; use another address of that server, or start it with --tls-name ${url.hostname}`,
    );
  if (/^(?:UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|CERT_|INVALID_PURPOSE)/.test(code))
    return new TrustError(
      `${url.host} shows a certificate that the cluster's CA has not signed for a server (${message}). Either the CA was changed, or the control plane restored from a backup, while this host was away: then join again, styr join https://${url.host} --token TOKEN (styr token create, there); or something between here and there answers in its name`,
    );
  if (code === "ECONNREFUSED")
    return new TrustError(`nothing listens on ${url.host}; is styr running there, and is that its port (7443)?`);
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return new TrustError(`there is no address for the name ${url.hostname}; use an IP address`);
  if (/^(?:ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/.test(code) || message.startsWith("no answer"))
    return new TrustError(
      `${url.host} does not answer (${message}); is it on, and does a firewall let port ${url.port || 443} through?`,
    );
  return new TrustError(`${url.host} cannot be asked: ${message}`);
}
