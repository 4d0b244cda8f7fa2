import { request } from "node:http";
import { request as requestTls } from "node:https";
import { connect } from "node:net";

/** An operating failure of the network: worth another try when `temporary`. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly temporary: boolean;

  constructor(message: string, temporary = true) {
    super(message);
    this.temporary = temporary;
  }
}

export interface HttpProbe {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** The network as health checks see it, behind a seam so that the simulator can own it. */
export interface Transport {
  /** One GET without following redirects, certificates unchecked (as Kubernetes probes do). Gives the status; TransportError if none came in time. */
  httpGet(probe: HttpProbe): Promise<{ readonly status: number }>;
  /** Opens and closes a connection; TransportError if it was not accepted in time. */
  tcpConnect(host: string, port: number, timeoutMs: number): Promise<void>;
}

export class SystemTransport implements Transport {
  httpGet({ url, headers, timeoutMs }: HttpProbe): Promise<{ readonly status: number }> {
    return new Promise((resolve, reject) => {
      const target = new URL(url);
      const options = { headers: { "User-Agent": "styrmann-probe", Connection: "close", ...headers }, agent: false };
      const fail = (error: Error) => reject(new TransportError(error.message));
      const sent =
        target.protocol === "https:"
          ? requestTls(target, { ...options, rejectUnauthorized: false })
          : request(target, options);
      const deadline = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      sent.on("close", () => clearTimeout(deadline));
      sent.on("error", fail);
      sent.on("response", (response) => {
        resolve({ status: response.statusCode ?? 0 });
        response.destroy();
      });
      sent.end();
    });
  }

  tcpConnect(host: string, port: number, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port });
      const deadline = setTimeout(() => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
      socket.on("close", () => clearTimeout(deadline));
      socket.on("error", (error) => reject(new TransportError(error.message)));
      socket.on("connect", () => {
        resolve();
        socket.destroy();
      });
    });
  }
}
