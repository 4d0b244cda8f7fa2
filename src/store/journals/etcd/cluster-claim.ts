import type { CampaignOptions } from "./campaign.ts";
import { type ClusterMark, checkCluster, FORMAT } from "./open.ts";

interface Marked {
  readonly value: string;
  readonly revision: number;
}

/** Whose everything below a prefix is: written by who leads first, and compared wherever it is seen. */
export class ClusterClaim {
  readonly #prefix: string;
  readonly #clusterId: string | undefined;
  /** Of the mark in etcd; 0: there is none yet. */
  #revision = 0;

  constructor(prefix: string, clusterId: string | undefined) {
    this.#prefix = prefix;
    this.#clusterId = clusterId;
  }

  /** JournalRefusal when it is another cluster's. */
  check({ value }: Marked): void {
    checkCluster(value, this.#clusterId, this.#prefix);
  }

  saw(revision: number): void {
    this.#revision = revision;
  }

  /** What a campaign needs to know and to tell of it. */
  get news(): Pick<CampaignOptions, "cluster" | "sawCluster"> {
    const mark: ClusterMark = {
      format: FORMAT,
      ...(this.#clusterId === undefined ? {} : { clusterId: this.#clusterId }),
    };
    return {
      cluster: () => ({ value: JSON.stringify(mark), revision: this.#revision }),
      sawCluster: (value, revision) => {
        this.check({ value, revision });
        this.saw(revision);
      },
    };
  }
}
