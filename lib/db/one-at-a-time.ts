import { PrismaPg } from "@prisma/adapter-pg";

type Adapter = Awaited<ReturnType<PrismaPg["connect"]>>;
type Transaction = Awaited<ReturnType<Adapter["startTransaction"]>>;

/**
 * Prisma asks for relations that stand beside each other at the same time, in a transaction too, which has one connection.
 * `pg` still lets such queries wait, with a warning, and will refuse them from version 9 on: so they wait here.
 */
export class OneAtATime extends PrismaPg {
  override async connect(): Promise<Adapter> {
    const adapter = await super.connect();
    const start = adapter.startTransaction.bind(adapter);
    adapter.startTransaction = async (level) => inTurn(await start(level));
    return adapter;
  }
}

/** Sends a query of this transaction when the one before has ended, well or not. */
function inTurn(tx: Transaction): Transaction {
  let last: Promise<unknown> = Promise.resolve();
  const next = <T>(ask: () => Promise<T>): Promise<T> => {
    const mine = last.then(ask, ask);
    last = mine;
    return mine;
  };
  const [query, execute] = [tx.queryRaw.bind(tx), tx.executeRaw.bind(tx)];
  tx.queryRaw = (asked) => next(() => query(asked));
  tx.executeRaw = (asked) => next(() => execute(asked));
  return tx;
}
