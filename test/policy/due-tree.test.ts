import test from 'ava';
import fc from 'fast-check';
import { type DueNode, DueTree } from '../../lib/policy/due-tree.js';

class Node implements DueNode<Node> {
  releaseRound: number;
  releasePart: number;
  dueRound: number;
  duePart: number;
  order: number;
  left: Node | undefined = undefined;
  right: Node | undefined = undefined;
  height = 1;
  earliest: Node = this;

  constructor(release: number, length: number, order: number) {
    this.releaseRound = Math.floor(release / 8);
    this.releasePart = (release % 8) / 8;
    this.dueRound = Math.floor((release + length) / 8);
    this.duePart = ((release + length) % 8) / 8;
    this.order = order;
  }

  get release(): number {
    return this.releaseRound + this.releasePart;
  }

  get due(): number {
    return this.dueRound + this.duePart;
  }
}

test('under any changes the tree finds what looking at every node finds, and stays low', (t) => {
  const step = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ type: fc.constant('insert' as const), release: fc.nat(40), length: fc.nat(20) }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('remove' as const), at: fc.nat(1000) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), fc.nat(50), fc.nat(20), (steps, eighths, count) => {
      const tree = new DueTree<Node>();
      let nodes: Node[] = [];
      for (const [order, each] of steps.entries()) {
        if (each.type === 'insert') {
          const node = new Node(each.release, each.length, order);
          tree.insert(node);
          nodes.push(node);
        } else {
          const chosen = nodes[each.at % Math.max(1, nodes.length)];
          if (chosen === undefined) continue;
          tree.remove(chosen);
          nodes = nodes.filter((node) => node !== chosen);
        }
      }
      const sorted = nodes.toSorted((a, b) => a.due - b.due || b.release - a.release || a.order - b.order);
      const orders = (list: readonly Node[]) => list.map((node) => node.order);
      t.deepEqual(orders(tree.firstDue(count)), orders(sorted.slice(0, count)));
      t.deepEqual(orders(tree.firstDue(1000)), orders(sorted));
      const time = { round: Math.floor(eighths / 8), part: (eighths % 8) / 8 };
      t.is(tree.firstReleased(time)?.order, sorted.find((node) => node.release < eighths / 8)?.order);
      t.is(tree.earliest?.release ?? 99, Math.min(99, ...nodes.map((node) => node.release)));
      const height = Math.max(0, ...nodes.map((node) => node.height));
      t.true(height <= 1.45 * Math.log2(nodes.length + 2));
    }),
    { numRuns: 200 },
  );
});

test('nodes in order of their due times make no chain', (t) => {
  const tree = new DueTree<Node>();
  const nodes = Array.from({ length: 1023 }, (_, i) => new Node(i, 1, i));
  for (const node of nodes) tree.insert(node);
  t.is(Math.max(...nodes.map((node) => node.height)), 10);
});
