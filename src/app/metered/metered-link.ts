import type { Counter } from "../../metrics/meters.ts";
import type { ServerMeters } from "../../metrics/server-metrics.ts";
import type { Link, LinkListener } from "../../seams/link.ts";

/** Bytes of text are its characters: frames are ASCII but for what people write in messages. */
export interface LinkCounters {
  readonly framesIn: Counter;
  readonly framesOut: Counter;
  readonly bytesIn: Counter;
  readonly bytesOut: Counter;
}

export function serverLinkCounters(meters: ServerMeters): LinkCounters {
  return {
    framesIn: meters.counter("styr_link_frames_total", "in"),
    framesOut: meters.counter("styr_link_frames_total", "out"),
    bytesIn: meters.counter("styr_link_bytes_total", "in"),
    bytesOut: meters.counter("styr_link_bytes_total", "out"),
  };
}

/** The same link; what is said on it is counted. A class, because there are thousands of them. */
class MeteredLink implements Link {
  readonly sendBytes?: (frame: Uint8Array, sent?: () => void) => void;
  readonly #link: Link;
  readonly #counters: LinkCounters;
  readonly #closed: () => void;

  constructor(link: Link, counters: LinkCounters, closed: () => void) {
    this.#link = link;
    this.#counters = counters;
    this.#closed = closed;
    if (link.sendBytes) this.sendBytes = (frame, sent) => this.#sendBytes(frame, sent);
  }

  get bufferedBytes(): number {
    return this.#link.bufferedBytes ?? 0;
  }

  send(frame: string): void {
    this.#counters.framesOut.value++;
    this.#counters.bytesOut.value += frame.length;
    this.#link.send(frame);
  }

  close(reason: string): void {
    this.#closed();
    this.#link.close(reason);
  }

  #sendBytes(frame: Uint8Array, sent?: () => void): void {
    this.#counters.framesOut.value++;
    this.#counters.bytesOut.value += frame.length;
    this.#link.sendBytes?.(frame, sent);
  }
}

export function meteredLink(link: Link, counters: LinkCounters, closed: () => void = () => {}): Link {
  return new MeteredLink(link, counters, closed);
}

export function meteredListener(
  listener: LinkListener,
  counters: LinkCounters,
  closed: () => void = () => {},
): LinkListener {
  const { framesIn, bytesIn } = counters;
  return {
    frame: (text) => {
      framesIn.value++;
      bytesIn.value += text.length;
      listener.frame(text);
    },
    bytes: (frame) => {
      framesIn.value++;
      bytesIn.value += frame.length;
      listener.bytes?.(frame);
    },
    closed: (reason) => {
      closed();
      listener.closed(reason);
    },
  };
}
