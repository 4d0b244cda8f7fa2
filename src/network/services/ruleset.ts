/**
 * Rules as data: what every Service wants of the firewall, what the firewall has, and the difference, which is one transaction. It knows
 * chains, sets, and elements (lines of a map: address and port → chain), and neither nftables nor iptables.
 */

export interface Chain {
  /** The hook of a chain that the kernel enters; absent for those that others jump to. */
  readonly hook?: string;
  /** Written into the first rule, for people. */
  readonly title: string;
  readonly rules: readonly string[];
  /** Changes with the rules: by it a chain that is in the kernel is recognised. */
  readonly mark: string;
}

export interface Element {
  /** The map, set or chain in which it is a line. */
  readonly container: string;
  readonly key: string;
  /** The chain to which it leads; "" in a set. */
  readonly value: string;
  readonly title: string;
}

/** What one owner (a Service, or the base of all) wants. Names of chains and sets are nobody else's; of elements the first owner by name has its way. */
export interface Piece {
  readonly chains: ReadonlyMap<string, Chain>;
  /** Name → definition, which for one name never changes. */
  readonly sets: ReadonlyMap<string, string>;
  readonly elements: readonly Element[];
}

/** What is in the kernel: chains by mark, sets, and elements by `container key`. */
export interface Programmed {
  readonly chains: Map<string, string>;
  readonly sets: Set<string>;
  readonly elements: Map<string, string>;
}

export interface Difference {
  readonly newSets: readonly (readonly [name: string, definition: string])[];
  readonly chains: readonly { readonly name: string; readonly chain: Chain; readonly isNew: boolean }[];
  readonly goneElements: readonly { readonly container: string; readonly key: string; readonly value: string }[];
  readonly newElements: readonly Element[];
  readonly goneChains: readonly string[];
  readonly goneSets: readonly string[];
}

export function emptyProgrammed(): Programmed {
  return { chains: new Map(), sets: new Set(), elements: new Map() };
}

export class Ruleset {
  readonly #pieces = new Map<string, Piece>();
  readonly #chains = new Map<string, Chain>();
  readonly #sets = new Map<string, string>();
  readonly #elements = new Map<string, Map<string, Element>>();
  /** Keys of elements that more than one owner wants. */
  readonly #contested = new Set<string>();
  readonly #dirty = { chains: new Set<string>(), sets: new Set<string>(), elements: new Set<string>() };

  pieceOf(owner: string): Piece | undefined {
    return this.#pieces.get(owner);
  }

  chainsOf(owner: string): readonly string[] {
    return [...(this.#pieces.get(owner)?.chains.keys() ?? [])];
  }

  /** What one owner wants from now on; undefined: nothing. */
  put(owner: string, piece: Piece | undefined): void {
    this.#forget(owner);
    if (piece === undefined) return;
    this.#pieces.set(owner, piece);
    this.#dirtyNames(piece);
    for (const [name, chain] of piece.chains) this.#chains.set(name, chain);
    for (const [name, definition] of piece.sets) this.#sets.set(name, definition);
    for (const element of piece.elements) {
      const key = keyOf(element);
      const claims = this.#elements.get(key) ?? new Map<string, Element>();
      this.#elements.set(key, claims.set(owner, element));
      if (claims.size > 1) this.#contested.add(key);
    }
  }

  /** Of elements that several owners want to lead to different chains: who does not have it, and who does. */
  contested(): readonly { readonly key: string; readonly loser: string; readonly winner: string }[] {
    return [...this.#contested].sort().flatMap((key) => {
      const [winner, element] = this.#winner(key) ?? [];
      if (winner === undefined || element === undefined) return [];
      const claims = [...(this.#elements.get(key) ?? [])];
      const others = claims.filter(([, { value }]) => value !== element.value).map(([owner]) => owner);
      return others.sort().map((loser) => ({ key: element.key, loser, winner }));
    });
  }

  /** Of what was put since `settle`, or of everything (`isAll`). */
  difference(programmed: Programmed, isAll = false): Difference {
    if (isAll) this.#dirtyAll(programmed);
    const { chains, sets, elements } = this.#dirty;
    const keys = [...elements].sort();
    const chainNames = [...chains].sort();
    const setNames = [...sets].sort();
    return {
      newSets: setNames.flatMap((name) => {
        const definition = this.#sets.get(name);
        return definition === undefined || programmed.sets.has(name) ? [] : [[name, definition] as const];
      }),
      chains: chainNames.flatMap((name) => {
        const chain = this.#chains.get(name);
        const mark = programmed.chains.get(name);
        return chain === undefined || chain.mark === mark ? [] : [{ name, chain, isNew: mark === undefined }];
      }),
      goneElements: keys.flatMap((key) => {
        const value = programmed.elements.get(key);
        return value === undefined || this.#winner(key)?.[1].value === value ? [] : [{ ...split(key), value }];
      }),
      newElements: keys.flatMap((key) => {
        const wanted = this.#winner(key)?.[1];
        return wanted === undefined || programmed.elements.get(key) === wanted.value ? [] : [wanted];
      }),
      goneChains: chainNames.filter((name) => !this.#chains.has(name) && programmed.chains.has(name)),
      goneSets: setNames.filter((name) => !this.#sets.has(name) && programmed.sets.has(name)),
    };
  }

  /** The difference was applied. */
  settle(programmed: Programmed, difference: Difference): void {
    for (const [name] of difference.newSets) programmed.sets.add(name);
    for (const { name, chain } of difference.chains) programmed.chains.set(name, chain.mark);
    for (const { container, key } of difference.goneElements) programmed.elements.delete(`${container} ${key}`);
    for (const { container, key, value } of difference.newElements)
      programmed.elements.set(`${container} ${key}`, value);
    for (const name of difference.goneChains) programmed.chains.delete(name);
    for (const name of difference.goneSets) programmed.sets.delete(name);
    for (const names of Object.values(this.#dirty)) names.clear();
  }

  #forget(owner: string): void {
    const piece = this.#pieces.get(owner);
    if (piece === undefined) return;
    this.#pieces.delete(owner);
    this.#dirtyNames(piece);
    for (const name of piece.chains.keys()) this.#chains.delete(name);
    for (const name of piece.sets.keys()) this.#sets.delete(name);
    for (const element of piece.elements) {
      const key = keyOf(element);
      const claims = this.#elements.get(key);
      claims?.delete(owner);
      if (claims !== undefined && claims.size < 2) this.#contested.delete(key);
      if (claims?.size === 0) this.#elements.delete(key);
    }
  }

  #dirtyNames({ chains, sets, elements }: Piece): void {
    for (const name of chains.keys()) this.#dirty.chains.add(name);
    for (const name of sets.keys()) this.#dirty.sets.add(name);
    for (const element of elements) this.#dirty.elements.add(keyOf(element));
  }

  #winner(key: string): readonly [owner: string, element: Element] | undefined {
    let first: readonly [string, Element] | undefined;
    for (const claim of this.#elements.get(key) ?? []) if (first === undefined || claim[0] < first[0]) first = claim;
    return first;
  }

  #dirtyAll(programmed: Programmed): void {
    const { chains, sets, elements } = this.#dirty;
    for (const names of [this.#chains, programmed.chains]) for (const name of names.keys()) chains.add(name);
    for (const names of [this.#sets, programmed.sets]) for (const name of names.keys()) sets.add(name);
    for (const keys of [this.#elements, programmed.elements]) for (const key of keys.keys()) elements.add(key);
  }
}

export function isNothing(difference: Difference): boolean {
  return Object.values(difference).every((list: readonly unknown[]) => list.length === 0);
}

function keyOf({ container, key }: Element): string {
  return `${container} ${key}`;
}

function split(key: string): { readonly container: string; readonly key: string } {
  const at = key.indexOf(" ");
  return { container: key.slice(0, at), key: key.slice(at + 1) };
}
