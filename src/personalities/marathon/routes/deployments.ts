/** /v2/deployments: changes in progress (specification 2.2). */
import type { RequestContext, Route } from "../../../http/route.ts";
import type { Reader } from "../../../store/transaction.ts";
import type { PersonalityContext } from "../../personality.ts";
import { type AppChange, cancelDeployment, deploy } from "../deploy.ts";
import { noSuchDeployment } from "../errors.ts";
import { type AppDeployment, appDeployments, NAMESPACE } from "../kinds.ts";
import { renderDeployment } from "../render-deployment.ts";
import { answer, deploymentAnswer, flag } from "./answer.ts";

export function deploymentRoutes({ store, random }: PersonalityContext): readonly Route[] {
  const resource = "deployments";
  return [
    {
      method: "GET",
      path: "/v2/deployments",
      access: { verb: "read", resource },
      handle: (_, context) => list(context),
    },
    {
      method: "DELETE",
      path: "/v2/deployments/:id",
      access: { verb: "write", resource },
      handle: (_, context) => cancel(context),
    },
  ];

  function list(context: RequestContext): Response {
    const running = store
      .list(appDeployments, NAMESPACE)
      .toSorted((a, b) => (a.spec.version < b.spec.version ? -1 : 1));
    return answer(
      running.map((deployment) => renderDeployment(deployment, store)),
      context,
    );
  }

  /** Without force the apps go back to what they were, which is a deployment of its own; with force all stays as it is. */
  async function cancel(context: RequestContext): Promise<Response> {
    const force = flag(context, "force", false);
    const id = context.params.id ?? "";
    const result = await store.update((tx) => {
      const deployment = find(tx, id);
      if (force) {
        cancelDeployment(tx, deployment, true);
        return undefined;
      }
      return deploy(tx, changesBack(deployment), { force: true, random });
    });
    return result ? deploymentAnswer(result, context) : answer(undefined, context, { status: 202 });
  }

  function find(reader: Reader, id: string): AppDeployment {
    const deployment = reader.get(appDeployments, `${NAMESPACE}/${id}`);
    if (!deployment) throw noSuchDeployment(id);
    return deployment;
  }
}

function changesBack({ spec }: AppDeployment): readonly AppChange[] {
  return spec.affectedApps.map((id) => ({ id, target: spec.original[id] ?? undefined }));
}
