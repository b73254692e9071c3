/** The elements that came over one connection. */

/** What a list writes into its elements. */
export interface ListedElement {
  /** -1 while it is in no list. */
  listPlace: number;
}

/**
 * A set in which each element knows its place, in no particular order: there may be a million elements, and a Set takes
 * half as much again.
 */
export class ElementList<Element extends ListedElement> implements Iterable<Element> {
  readonly #elements: Element[] = [];

  get size(): number {
    return this.#elements.length;
  }

  /** Changes while it runs confuse it. */
  [Symbol.iterator](): Iterator<Element> {
    return this.#elements.values();
  }

  /** An element that is in no list, or in this one already. */
  add(element: Element): void {
    if (element.listPlace !== -1) return;
    element.listPlace = this.#elements.length;
    this.#elements.push(element);
  }

  /** An element that is in this list, or in none. */
  delete(element: Element): void {
    const place = element.listPlace;
    if (place === -1) return;
    element.listPlace = -1;
    const last = this.#elements.pop() as Element;
    if (last === element) return;
    this.#elements[place] = last;
    last.listPlace = place;
  }
}
