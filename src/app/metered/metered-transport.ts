import type { AgentMeters } from "../../metrics/agent-metrics.ts";
import type { HttpProbe, Transport } from "../../seams/transport.ts";

/** The same network, whose probes are counted as Kubernetes judges them: HTTP below 400, TCP when it connects. */
export function meteredTransport(transport: Transport, meters: AgentMeters): Transport {
  const judged = async <R>(kind: string, ask: () => Promise<R>, isWell: (answer: R) => boolean): Promise<R> => {
    let result = "failure";
    try {
      const answer = await ask();
      if (isWell(answer)) result = "success";
      return answer;
    } finally {
      meters.count("styr_probes_total", kind, result);
    }
  };
  return {
    httpGet: (probe: HttpProbe) =>
      judged(
        "http",
        () => transport.httpGet(probe),
        ({ status }) => status >= 200 && status < 400,
      ),
    tcpConnect: (host, port, timeoutMs) =>
      judged(
        "tcp",
        () => transport.tcpConnect(host, port, timeoutMs),
        () => true,
      ),
  };
}
