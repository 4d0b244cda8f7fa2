import { afterEach } from "node:test";
import { type ClusterOptions, TestCluster } from "./test-cluster.ts";

/** Opens clusters of these nodes for the tests of one file or suite, and closes them after each. */
export function testClusters(nodes: readonly string[]): (options?: Partial<ClusterOptions>) => Promise<TestCluster> {
  const open: TestCluster[] = [];
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
  });
  return async (options = {}) => {
    const made = await TestCluster.open({ nodes, ...options });
    open.push(made);
    return made;
  };
}
