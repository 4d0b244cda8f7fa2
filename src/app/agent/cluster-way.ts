/** An agent's way to its cluster: the servers it knows, its certificate, the link of its session and that of its heartbeats. */
import { LinkHeartbeats } from "../../agent/heartbeat/link-heartbeats.ts";
import { RemoteControl } from "../../agent/remote/remote-control.ts";
import { Servers } from "../../agent/remote/servers.ts";
import { AGENT_PATH, AGENT_PROTOCOL } from "../../dispatcher/agent-api.ts";
import type { ClusterNews } from "../../model/cluster-news.ts";
import type { NodeAccess } from "../../model/streams.ts";
import { WebSocketDialer } from "../../network/link/web-socket-dialer.ts";
import type { Membership } from "../membership.ts";
import { meteredDialer } from "../metered/metered-dialer.ts";
import type { StyrProcess } from "../styr-process.ts";
import { keepCertificates } from "../trust/keep-certificates.ts";
import { NewsKeeper } from "../trust/news-keeper.ts";
import { NodeIdentity } from "../trust/node-identity.ts";

export interface ClusterWayOptions {
  readonly process: StyrProcess;
  readonly membership: Membership;
  /** `https://HOST:PORT` of the server to dial first: the one in the same process. */
  readonly first?: string;
  /** Told when no server is reached any more, with the reason, and when one is again: undefined. */
  readonly onLink?: (problem: string | undefined) => void;
}

export class ClusterWay {
  readonly control: RemoteControl;
  readonly heartbeats: LinkHeartbeats;
  readonly #process: StyrProcess;
  readonly #membership: Membership;
  readonly #servers: Servers;
  readonly #closing = new AbortController();
  readonly #identity: NodeIdentity;
  readonly #news: NewsKeeper;

  /** Reads the certificate and who is believed. Throws an Error with words when they are not there. Connects to nobody yet. */
  static async open(options: ClusterWayOptions): Promise<ClusterWay> {
    return new ClusterWay(options, await NodeIdentity.open(options.process.settings.stateDir));
  }

  private constructor({ process, membership, first, onLink }: ClusterWayOptions, identity: NodeIdentity) {
    const { clock, random, version, log } = process;
    this.#process = process;
    this.#membership = membership;
    this.#identity = identity;
    this.#news = new NewsKeeper({ identity, clock, log });
    const path = `${AGENT_PATH}?version=${encodeURIComponent(version)}`;
    const target = { path, protocol: AGENT_PROTOCOL };
    const servers = new Servers(membership.servers, random, (server) => this.#dialerTo({ server, ...target }), first);
    this.#servers = servers;
    this.control = new RemoteControl({
      ...{ clock, random, log },
      ...(onLink ? { onLink } : {}),
      get dialers() {
        return servers.dialers;
      },
    });
    const way = {
      servers: membership.servers,
      material: identity.current(),
      ...target,
      ...(first === undefined ? {} : { first }),
    };
    this.heartbeats = new LinkHeartbeats(way, clock);
  }

  /** From now on logs, commands and connections are served, and what is heard of the cluster is written down. */
  begin(access: NodeAccess): void {
    this.control.serve(access, this.#membership.nodeName);
    this.control.watchCluster((news) => this.#take(news), this.#closing.signal);
    const { clock, random, log } = this.#process;
    const [identity, signal] = [this.#identity, this.#closing.signal];
    identity.onChange(() => this.#changed());
    void keepCertificates({ ...{ identity, clock, random, log, signal }, servers: () => this.servers });
  }

  get servers(): readonly string[] {
    return this.#servers.list;
  }

  /** The server that was reached last. */
  get server(): string | undefined {
    return this.#servers.reached;
  }

  get certificateEndsAtMs(): number {
    return Date.parse(this.#identity.certificate.validTo);
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("the agent stops"));
    this.control.close("the agent stops");
    await this.#news.close();
  }

  #dialerTo(target: { readonly server: string; readonly path: string; readonly protocol: string }) {
    const { clock, meters } = this.#process;
    const dialer = new WebSocketDialer({ ...target, clock, material: () => this.#identity.current() });
    const metered = meteredDialer(dialer, meters.agent);
    // Of all of them together.
    meters.agent.provide("styr_agent_link_connected", () => (this.control.state.isOpen ? 1 : 0));
    return metered;
  }

  #take(news: ClusterNews): void {
    const { log } = this.#process;
    const { clusterId } = this.#membership;
    if (clusterId !== "" && news.clusterId !== clusterId) {
      log.warn("a server told news of another cluster; they are not believed", { cluster: news.clusterId });
      return;
    }
    this.#servers.set(news.servers);
    this.#changed();
    this.#news.take(news);
  }

  /** Servers or certificate: used from the next link on. */
  #changed(): void {
    this.heartbeats.change({ servers: this.#servers.list, material: this.#identity.current() });
  }
}
