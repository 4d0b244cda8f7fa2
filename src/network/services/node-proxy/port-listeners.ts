/** Who opens ports of this host for the proxy: app, where alone `listen` is allowed. */
import type { Socket as UdpSocket } from "node:dgram";
import type { Socket } from "node:net";

export interface PortListener {
  /** New connections are refused by the kernel from now on; those that are there go on. */
  close(): Promise<void>;
}

export interface PortListeners {
  /** Sockets come with half-open allowed, and paused. Rejects with the system's error (EADDRINUSE, EACCES). */
  tcp(port: number, accept: (socket: Socket) => void): Promise<PortListener>;
  /** Bound, and nothing heard yet. */
  udp(port: number): Promise<UdpSocket>;
}
