/** A script that Node alone does not run: an enum, and an import without a suffix. */
import { task } from 'rust-workers';
import { describe } from './describe';

export enum Kind {
  Page = 'page',
}

export const render = ({ number }: { number: number }): string => describe(Kind.Page, number, task.workerId);
