/** Filter expressions (`?filter=`): text and schema in, a function over records out. */
export { compileFilter, type FilterError, filterErrorPrefix, type Predicate, unfilterable } from './evaluate.ts';
export { type Expression, type Operator, parseFilter } from './grammar.ts';
export { compileRegexp, type Regexp } from './regexp/index.ts';
