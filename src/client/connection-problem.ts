import { ClientError } from "./client-error.ts";
import type { Endpoint } from "./endpoint.ts";

const UNTRUSTED = new Set([
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** A cluster of its own on this machine would not help. */
const ELSEWHERE = "is it up there? Another server of the cluster answers the same: --server https://HOST:7443";

function afterBreak(endpoint: Endpoint): string {
  // A TLS listener hangs up on plain HTTP without a word.
  const isPlain = endpoint.type === "net" && endpoint.url.protocol === "http:";
  return isPlain ? `is it https? --server https://${endpoint.url.host}` : "styr status";
}

/** Says in words why there was no answer, and what to do about it. */
export function connectionProblem(error: NodeJS.ErrnoException, endpoint: Endpoint): ClientError {
  const place = endpoint.type === "unix" ? endpoint.path : endpoint.url.origin;
  switch (error.code) {
    case "ENOENT":
      return new ClientError(`no server here: ${place} does not exist`, { next: "styr up" });
    case "ECONNREFUSED":
      return new ClientError(`no server answers at ${place}`, {
        next: endpoint.type === "unix" ? "styr up" : ELSEWHERE,
      });
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ETIMEDOUT":
      return new ClientError(`${place} cannot be reached (${error.code})`, { next: ELSEWHERE });
    case "EACCES":
    case "EPERM":
      return new ClientError(`permission denied: ${place} is for its owner alone`, {
        next: "sudo styr …, or --server https://HOST:7443 with a token",
      });
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new ClientError(`the name of ${place} cannot be resolved`);
    case "ECONNRESET":
    case "EPIPE":
      return new ClientError(`the server at ${place} broke off the connection`, { next: afterBreak(endpoint) });
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return new ClientError(`the certificate of ${place} is for another name: ${error.message}`);
    default:
      break;
  }
  if (error.code !== undefined && UNTRUSTED.has(error.code)) {
    const next = "--ca FILE (or STYR_CA) with the server's CA certificate";
    return new ClientError(`the certificate of ${place} comes from a CA that is not known here`, { next });
  }
  if (error.name === "AbortError") return new ClientError("broken off");
  return new ClientError(`no answer from ${place}: ${error.message}`);
}
