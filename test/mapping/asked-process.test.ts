import test from 'ava';
import { AskedProcess } from '../../lib/mapping/tcp/asked-process.js';
import type { ProcessMember } from '../../lib/mapping/tcp/far-process.js';
import { Scene } from './pair.js';

const timers = { failureTimeout: 1000, heartbeatInterval: 3500, pathInterval: 30_000 };

/** Connections with one process that keep what they are told to do, and when. */
class Told extends Scene {
  readonly process: AskedProcess;
  readonly members: ProcessMember[] = [];
  log: (readonly [time: number, what: 'ask' | 'judge', member: number])[] = [];
  gone = 0;
  /** What happens when a member is judged. */
  onJudged: (member: number) => void = () => {};

  constructor(count: number, options = timers) {
    super();
    this.process = new AskedProcess(this.elementProcess.clock, options, () => {
      this.gone++;
    });
    for (let i = 0; i < count; i++) this.join(i);
  }

  join(number: number): void {
    const note = (what: 'ask' | 'judge'): void => {
      this.log.push([this.network.time.now, what, number]);
    };
    const member: ProcessMember = {
      share() {},
      ask: () => note('ask'),
      judgeAlone: () => {
        note('judge');
        this.onJudged(number);
      },
    };
    this.members[number] = member;
    this.process.join(member);
  }

  /** How often each instant, and what. */
  get times(): [time: number, what: string, count: number][] {
    const counts = new Map<string, number>();
    for (const [time, what] of this.log) {
      const key = `${Math.round(time)} ${what}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return [...counts].map(([key, count]) => [Number.parseInt(key, 10), key.split(' ')[1] as string, count]);
  }
}

test('who hears nothing asks one, then the others evenly, and judges each in the end', (t) => {
  const told = new Told(5000, { ...timers, pathInterval: 1e9 });
  told.run(5000);
  const { times } = told;
  t.deepEqual(times[0], [3500, 'ask', 1]);
  t.deepEqual(times.at(-1), [4500, 'judge', 5000]);
  const others = times.slice(1, -1);
  t.is(Math.min(...others.map(([time]) => time)), 3625);
  t.true(Math.max(...others.map(([time]) => time)) <= 4000);
  t.true(Math.max(...others.map(([, , count]) => count)) <= 500);
  t.is(new Set(told.log.filter(([, what]) => what === 'ask').map(([, , member]) => member)).size, 5000);
  t.is(told.gone, 1);
  t.is(told.network.time.next, undefined);
});

test('many are asked at the pace at which each would have asked alone', (t) => {
  const told = new Told(5000);
  told.run(3600);
  const asked = told.times.filter(([, what]) => what === 'ask');
  t.true(asked[0]![0] <= 110);
  t.true(Math.max(...asked.map(([, , count]) => count)) <= 120);
  t.is(new Set(told.log.map(([, , member]) => member)).size, 5000);
});

test('each sign of the process begins it anew, an old one nothing', (t) => {
  const told = new Told(3, { ...timers, pathInterval: 1e9 });
  told.run(3600);
  told.process.prove(3550);
  told.process.prove(2000);
  t.is(told.process.aliveAt, 3550);
  told.log = [];
  told.run(3560);
  t.deepEqual(told.log, [[7050, 'ask', 1]]);
});

test('one that is asked and leaves before it has an answer leaves the question to the others', (t) => {
  const told = new Told(2, { ...timers, pathInterval: 1e9 });
  told.run(3510);
  t.deepEqual(told.log, [[3500, 'ask', 0]]);
  told.process.leave(told.members[0]!);
  told.run(200);
  t.deepEqual(told.log.slice(1), [[3625, 'ask', 1]]);
  told.process.leave(told.members[1]!);
  t.is(told.gone, 1);
  t.is(told.network.time.next, undefined);
});

test('each has its turn once in a path interval, evenly, whoever joins and leaves', (t) => {
  const told = new Told(60);
  const turns = (duration: number): number[] => {
    told.log = [];
    const until = told.network.time.now + duration;
    while (told.network.time.now < until) {
      told.run(50);
      told.process.prove(told.network.time.now);
    }
    return told.log.map(([, , member]) => member);
  };
  turns(60_000);
  const sixty = turns(30_000);
  t.is(new Set(sixty).size, 60);
  t.true(sixty.length <= 61);
  for (let i = 10; i < 60; i++) told.process.leave(told.members[i]!);
  const ten = turns(30_000);
  t.is(new Set(ten).size, 10);
  t.true(ten.length <= 20, `${ten.length} turns`);
  for (let i = 60; i < 3000; i++) told.join(i);
  turns(30_000);
  const many = turns(30_500);
  t.is(new Set(many).size, 2950);
  t.true(many.length < 3100, `${many.length} turns`);
  const most = Math.max(...told.times.map(([, , count]) => count));
  t.true(most <= 64, `${most} at once`);
});

test('who is heard of while some are judged keeps the others', (t) => {
  const told = new Told(1000);
  told.onJudged = (member) => {
    if (member === 300) told.process.prove(told.network.time.now);
  };
  told.run(4600);
  const judged = told.log.filter(([, what]) => what === 'judge').length;
  t.true(judged > 0 && judged < 1000, `${judged} judged`);
  told.log = [];
  told.run(3500);
  t.true(told.log.some(([, what]) => what === 'ask'));
  told.run(1500);
  t.is(judged + told.log.filter(([, what]) => what === 'judge').length, 1000);
});

test('who was stopped itself asks first, and gives the answer all of its time', (t) => {
  const told = new Told(1000);
  told.run(200);
  told.elementProcess.freeze();
  told.run(100_000);
  told.log = [];
  told.elementProcess.thaw();
  told.run(990);
  t.true(told.log.some(([, what]) => what === 'ask'));
  t.false(told.log.some(([, what]) => what === 'judge'));
  told.run(20);
  t.is(told.log.filter(([, what]) => what === 'judge').length, 1000);
});
