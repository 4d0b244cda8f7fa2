import { fleet } from "../personalities/fleet/index.ts";
import { kubernetes } from "../personalities/kubernetes/index.ts";
import { marathon } from "../personalities/marathon/index.ts";
import type { Personality } from "../personalities/personality.ts";

/** The dialects served. Removing a line here and its folder removes the dialect. */
export const personalities: readonly Personality[] = [fleet, marathon, kubernetes];
