/** Seeds that have found something once, each with what it was. They stay green. */
export interface Regression {
  readonly seed: number;
  readonly scenario: string;
  /** What was broken, as its user would have seen it. */
  readonly sentence: string;
}

export const regressions: readonly Regression[] = [
  {
    seed: 20,
    scenario: "swarm",
    sentence:
      "a node said that it reboots, the control plane was restarted meanwhile and had forgotten it: the node's pods were moved after 30 s, and its exclusive pods could have run twice",
  },
  {
    seed: 174,
    scenario: "swarm",
    sentence: "the same as seed 20, with an agent that was restarted",
  },
  {
    seed: 165,
    scenario: "swarm",
    sentence:
      "a host stood still for 40 s; when it went on, its agent hurried an exclusive pod's end for ever and fell over its own assertion",
  },
  {
    seed: 276,
    scenario: "swarm",
    sentence:
      "a node was uncordoned while the journal was slow; the scheduler had seen that before it was on the disk, and pods that waited were not tried again until something else changed",
  },
  {
    seed: 336,
    scenario: "swarm",
    sentence:
      "the journal stood still while a node was lost and came back; its pods were marked not ready after they had been reported, and stayed so",
  },
  {
    seed: 84,
    scenario: "swarm",
    sentence: "why a pod waits was written with numbers that were no longer so once another pod had taken room",
  },
  { seed: 1038, scenario: "swarm", sentence: "the same as seed 84" },
  { seed: 2219, scenario: "swarm", sentence: "the same as seed 84" },
  { seed: 4015, scenario: "swarm", sentence: "the same as seed 84" },
  {
    seed: 2081,
    scenario: "swarm",
    sentence:
      "a pod that waited did not hear of a change that came after one that the scheduler had seen before it was on the disk",
  },
  {
    seed: 10074,
    scenario: "swarm",
    sentence:
      "a node that was being drained fell silent and came back; the drain had forgotten how many copies were ready before, and stopped one whose successor was not ready",
  },
  {
    seed: 1407,
    scenario: "swarm",
    sentence: "of a Marathon app with a surplus a ready instance was killed while one that served nobody stayed",
  },
  {
    seed: 2100,
    scenario: "swarm",
    sentence:
      "an agent that came back while it was telling its pods' status told it again at every answer: it and the control plane contradicted each other 80 times a second",
  },
];
