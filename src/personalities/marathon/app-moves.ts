import { copiesRule } from "../../model/copies.ts";
import { stopsFirst } from "./app-definition.ts";
import { appDeployments, apps, isVisible, NAMESPACE } from "./kinds.ts";

/** How a drain may move an app's instances, with the app's own floor of healthy ones. */
export const appMoves = copiesRule(apps, (app, reader) => {
  const { active } = app.spec;
  if (!active || !isVisible(app)) return { wanted: 0, moves: "start first" };
  const { instances, upgradeStrategy } = active;
  const changes = reader.list(appDeployments, NAMESPACE).some(({ spec }) => spec.affectedApps.includes(active.id));
  return {
    wanted: instances,
    moves: stopsFirst(active) ? "stop first" : "start first",
    atLeastReady: Math.ceil(instances * upgradeStrategy.minimumHealthCapacity),
    isChanging: changes,
  };
});
