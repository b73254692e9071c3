/**
 * A balanced tree of turns: which of those that may begin is due first, in O(log n). It is an AVL tree in the order of
 * the due times, in which each node also knows the earliest release below it, so that whole branches that may not
 * begin yet are passed over.
 */

/**
 * A point of virtual time: whole rounds, and the part of a round that has passed (0 to 1). Apart, because a pool may
 * live for ever and the part must stay exact.
 */
export interface RoundTime {
  readonly round: number;
  readonly part: number;
}

/** One turn in the tree. The tree writes what is below `order`; the rest does not change while the turn is in. */
export interface DueNode<Node> {
  /** From when on it may be taken. */
  releaseRound: number;
  releasePart: number;
  /** Until when it should have been taken. */
  dueRound: number;
  duePart: number;
  /** Decides among turns of the same times; no two nodes have the same. */
  order: number;
  left: Node | undefined;
  right: Node | undefined;
  height: number;
  /** The node of the earliest release in this branch. */
  earliest: Node;
}

export class DueTree<Node extends DueNode<Node>> {
  #root: Node | undefined;

  /** The node of the earliest release. */
  get earliest(): Node | undefined {
    return this.#root?.earliest;
  }

  insert(node: Node): void {
    node.left = undefined;
    node.right = undefined;
    renew(node);
    this.#root = inserted(this.#root, node);
  }

  /** Takes out a node that is in. */
  remove(node: Node): void {
    this.#root = without(this.#root as Node, node);
  }

  /** Of the nodes released before `time`, the one that is due first. */
  firstReleased(time: RoundTime): Node | undefined {
    let node = this.#root;
    if (node === undefined || !isReleased(node.earliest, time)) return undefined;
    // There always is one in this branch: on the left, where the earlier ones are, here, or else on the right.
    for (;;) {
      const { left } = node as Node;
      if (left !== undefined && isReleased(left.earliest, time)) node = left;
      else if (isReleased(node as Node, time)) return node;
      else node = (node as Node).right;
    }
  }

  /** The first `count` in the order of their due times; O(count + log n). */
  firstDue(count: number): Node[] {
    const found: Node[] = [];
    const path: Node[] = [];
    let node = this.#root;
    while (found.length < count) {
      while (node !== undefined) {
        path.push(node);
        node = node.left;
      }
      const next = path.pop();
      if (next === undefined) break;
      found.push(next);
      node = next.right;
    }
    return found;
  }
}

function isReleased<Node extends DueNode<Node>>(node: Node, time: RoundTime): boolean {
  return node.releaseRound < time.round || (node.releaseRound === time.round && node.releasePart < time.part);
}

function isDueBefore<Node extends DueNode<Node>>(one: Node, other: Node): boolean {
  if (one.dueRound !== other.dueRound) return one.dueRound < other.dueRound;
  if (one.duePart !== other.duePart) return one.duePart < other.duePart;
  // The later released is the shorter turn, of a heavier member: its next turn is near, so it had better go first.
  if (one.releaseRound !== other.releaseRound) return one.releaseRound > other.releaseRound;
  if (one.releasePart !== other.releasePart) return one.releasePart > other.releasePart;
  return one.order < other.order;
}

function earlier<Node extends DueNode<Node>>(one: Node, other: Node | undefined): Node {
  if (other === undefined || one.releaseRound < other.releaseRound) return one;
  if (one.releaseRound > other.releaseRound) return other;
  return one.releasePart <= other.releasePart ? one : other;
}

function heightOf<Node extends DueNode<Node>>(node: Node | undefined): number {
  return node === undefined ? 0 : node.height;
}

/** Sets what a node knows of its branch. */
function renew<Node extends DueNode<Node>>(node: Node): void {
  node.height = 1 + Math.max(heightOf(node.left), heightOf(node.right));
  node.earliest = earlier(earlier(node, node.left?.earliest), node.right?.earliest);
}

function inserted<Node extends DueNode<Node>>(branch: Node | undefined, node: Node): Node {
  if (branch === undefined) return node;
  if (isDueBefore(node, branch)) branch.left = inserted(branch.left, node);
  else branch.right = inserted(branch.right, node);
  return balanced(branch);
}

function without<Node extends DueNode<Node>>(branch: Node, node: Node): Node | undefined {
  if (branch !== node) {
    if (isDueBefore(node, branch)) branch.left = without(branch.left as Node, node);
    else branch.right = without(branch.right as Node, node);
    return balanced(branch);
  }
  if (branch.left === undefined) return branch.right;
  if (branch.right === undefined) return branch.left;
  // The next in order takes its place.
  let next = branch.right;
  while (next.left !== undefined) next = next.left;
  next.right = without(branch.right, next);
  next.left = branch.left;
  return balanced(next);
}

/** The branch with its sides at most one level apart, given that they are at most two. */
function balanced<Node extends DueNode<Node>>(branch: Node): Node {
  const { left, right } = branch;
  const lean = heightOf(left) - heightOf(right);
  if (lean > 1) {
    if (heightOf(left?.left) < heightOf(left?.right)) branch.left = turnedLeft(left as Node);
    return turnedRight(branch);
  }
  if (lean < -1) {
    if (heightOf(right?.right) < heightOf(right?.left)) branch.right = turnedRight(right as Node);
    return turnedLeft(branch);
  }
  renew(branch);
  return branch;
}

function turnedLeft<Node extends DueNode<Node>>(branch: Node): Node {
  const top = branch.right as Node;
  branch.right = top.left;
  renew(branch);
  top.left = branch;
  renew(top);
  return top;
}

function turnedRight<Node extends DueNode<Node>>(branch: Node): Node {
  const top = branch.left as Node;
  branch.left = top.right;
  renew(branch);
  top.right = branch;
  renew(top);
  return top;
}
