import { copiesRule } from "../../model/copies.ts";
import { readCare } from "./care.ts";
import { units } from "./kinds.ts";
import { readRequirements } from "./requirements.ts";

/** How a drain may move a unit: a global one not at all, any other by starting its successor first (unless it is exclusive). */
export const unitMoves = copiesRule(units, ({ metadata, spec }) => {
  const { isGlobal } = readRequirements(spec.options, metadata.name);
  if (isGlobal) return { wanted: 1, moves: "stays", why: "it is a global unit, which runs on every machine" };
  const moves = readCare(spec.options).exclusive ? "stop first" : "start first";
  return { wanted: spec.desiredState === "inactive" ? 0 : 1, moves };
});
