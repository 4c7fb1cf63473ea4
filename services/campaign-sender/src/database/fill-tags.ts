import { dialectOf, insertIgnore } from '@switchyard/database';
import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

const PAGE = 500;

/** Makes the tags that contacts have findable: for contacts of a release before `contact_tags`. May run again. */
export async function fillTags(untyped: Kysely<unknown>): Promise<void> {
  const db = untyped as Kysely<Tables>;
  for (let after = ''; ; ) {
    const rows = await db
      .selectFrom('contacts')
      .select(['id', 'merchantId', 'tags'])
      .where('id', '>', after)
      .where('tags', '!=', '[]')
      .orderBy('id')
      .limit(PAGE)
      .execute();
    const tags = rows.flatMap(({ id, merchantId, tags: json }) =>
      (JSON.parse(json) as string[]).map((tag) => ({ merchantId, tag, contactId: id })),
    );
    await insertIgnore(db, dialectOf(db), 'contact_tags', tags, ['merchantId', 'tag', 'contactId']);
    if (rows.length < PAGE) return;
    after = rows.at(-1)!.id;
  }
}
