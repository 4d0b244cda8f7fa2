import { readFile, rename, writeFile } from "node:fs/promises";
import type { ClusterNews } from "../../model/cluster-news.ts";
import { identityFiles, keepMembership, readMembership } from "../membership.ts";

/** Writes down what was heard of the cluster, for the next start. False when it is all known, or is news of another cluster. */
export async function takeNews(stateDir: string, news: ClusterNews): Promise<boolean> {
  const membership = await readMembership(stateDir);
  if (!membership || membership.clusterId !== news.clusterId) return false;
  const { ca } = identityFiles(stateDir);
  const servers = [...news.servers].sort();
  const isSame = [...membership.servers].sort().join() === servers.join();
  const isBelieved = (await readFile(ca, "utf8")) === news.caPem;
  if (!isSame) await keepMembership(stateDir, { ...membership, servers });
  if (!isBelieved) {
    await writeFile(`${ca}.new`, news.caPem, { flush: true, mode: 0o644 });
    await rename(`${ca}.new`, ca);
  }
  return !isSame || !isBelieved;
}
