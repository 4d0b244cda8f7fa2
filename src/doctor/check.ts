/** What a host check says. Checks are pure: they judge facts that host-facts.ts read, so that each can be tried in a table. */
export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  /** A sentence: what is so. */
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string;
}

export interface HostFacts {
  readonly platform: string;
  readonly architecture: string;
  /** Major version of the Node that runs this. */
  readonly nodeMajor: number;
  readonly isRoot: boolean;
  /** PID 1 is systemd. */
  readonly hasSystemd: boolean;
  /** Of /etc/os-release: `debian`, `ubuntu`, …, the system's own id first, then what it is like. */
  readonly distributions: readonly string[];
  readonly cgroupVersion: 1 | 2 | undefined;
  /** Controllers that are mounted (v1) or offered at the root (v2). */
  readonly cgroupControllers: readonly string[];
  readonly filesystems: readonly string[];
  readonly hasIptables: boolean;
  readonly freeStateBytes: number;
  readonly memoryBytes: number;
}

export type Check = (facts: HostFacts) => CheckResult;
