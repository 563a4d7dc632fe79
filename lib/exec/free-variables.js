'use strict';

/**
 * The names that a function takes from outside of itself, as a syntax tree (ESTree) shows them. What a direct `eval` or a `with`
 * statement refers to is not seen.
 */

/** What a function can take from its surroundings beside variables. */
const THIS = 'this';
const SUPER = 'super';
const NEW_TARGET = 'new.target';
const IMPORT_META = 'import.meta';

/** A list of statements, or a function: the names that it declares. */
class Scope {
  names = new Set();
  /** @param {Scope | undefined} outer */
  constructor(outer) {
    this.outer = outer;
  }

  has(name) {
    return this.names.has(name) || (this.outer !== undefined && this.outer.has(name));
  }
}

const isFunction = ({ type }) =>
  type === 'FunctionDeclaration' || type === 'FunctionExpression' || type === 'ArrowFunctionExpression';

/** Calls `visit` for each child that is a node. */
function eachChild(node, visit) {
  for (const key of Object.keys(node)) {
    const value = node[key];
    if (Array.isArray(value)) value.forEach((child) => child !== null && typeof child?.type === 'string' && visit(child));
    else if (value !== null && typeof value === 'object' && typeof value.type === 'string') visit(value);
  }
}

/** The names that a pattern binds. */
function bind(pattern, names) {
  switch (pattern?.type) {
    case 'Identifier':
      return names.add(pattern.name);
    case 'ObjectPattern':
      return pattern.properties.forEach((property) => bind(property.value ?? property.argument, names));
    case 'ArrayPattern':
      return pattern.elements.forEach((element) => bind(element, names));
    case 'AssignmentPattern':
      return bind(pattern.left, names);
    case 'RestElement':
      return bind(pattern.argument, names);
  }
}

/** The names that `var` declares in a function's body, and those of its functions, which a sloppy one declares there too. */
function hoist(node, names) {
  if (node.type === 'VariableDeclaration' && node.kind === 'var') node.declarations.forEach(({ id }) => bind(id, names));
  if (node.type === 'FunctionDeclaration') names.add(node.id.name);
  const isInner = isFunction(node) || node.type === 'ClassDeclaration' || node.type === 'ClassExpression';
  if (!isInner) eachChild(node, (child) => hoist(child, names));
}

/** The names that `let`, `const`, `class` and functions declare in a list of statements. */
function declare(statements, names) {
  for (const statement of statements) {
    if (statement.type === 'VariableDeclaration') statement.declarations.forEach(({ id }) => bind(id, names));
    else if (statement.type === 'ClassDeclaration' || statement.type === 'FunctionDeclaration') names.add(statement.id.name);
  }
}

class Search {
  /** By name: whether all that is done with it is to ask for its type. */
  found = new Map();

  #use(name, scope, isTypeof = false) {
    if (scope.has(name)) return;
    this.found.set(name, isTypeof && this.found.get(name) !== false);
  }

  /** What a function takes that has no `this` of its own. `own`: whether a function around it has one. */
  #takes(name, own) {
    if (!own) this.found.set(name, false);
  }

  /**
   * @param {object} node
   * @param {Scope} scope
   * @param {boolean} own whether `this`, `arguments` and the like belong to a function that was seen
   */
  visit(node, scope, own) {
    const go = (child) => this.visit(child, scope, own);
    switch (node.type) {
      case 'Identifier':
        return node.name === 'arguments' && own ? undefined : this.#use(node.name, scope);
      case 'ThisExpression':
        return this.#takes(THIS, own);
      case 'Super':
        return this.#takes(SUPER, own);
      case 'MetaProperty':
        return node.meta.name === 'import' ? this.#takes(IMPORT_META, false) : this.#takes(NEW_TARGET, own);
      case 'UnaryExpression':
        if (node.operator === 'typeof' && node.argument.type === 'Identifier') return this.#use(node.argument.name, scope, true);
        return go(node.argument);
      case 'MemberExpression':
        go(node.object);
        if (node.computed) go(node.property);
        return;
      case 'Property':
      case 'MethodDefinition':
      case 'PropertyDefinition':
        if (node.computed) go(node.key);
        // A field is a function of its own.
        if (node.value !== null) this.visit(node.value, scope, own || node.type === 'PropertyDefinition');
        return;
      case 'LabeledStatement':
        return go(node.body);
      case 'BreakStatement':
      case 'ContinueStatement':
        return;
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        return this.#function(node, scope, own);
      case 'ClassDeclaration':
      case 'ClassExpression':
        return this.#class(node, scope, own);
      case 'StaticBlock':
        return this.#block(node.body, scope, true, true);
      case 'BlockStatement':
        return this.#block(node.body, scope, own);
      case 'SwitchStatement':
        go(node.discriminant);
        return this.#block(node.cases.flatMap(({ consequent }) => consequent), scope, own, false, node.cases);
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
        return this.#loop(node, scope, own);
      case 'CatchClause':
        return this.#catch(node, scope, own);
      default:
        return eachChild(node, go);
    }
  }

  #block(statements, outer, own, isFunctionBody = false, nodes = statements) {
    const scope = new Scope(outer);
    declare(statements, scope.names);
    if (isFunctionBody) statements.forEach((statement) => hoist(statement, scope.names));
    nodes.forEach((node) => this.visit(node, scope, own));
  }

  #loop(node, outer, own) {
    const scope = new Scope(outer);
    declare([node.init ?? node.left].filter(Boolean), scope.names);
    eachChild(node, (child) => this.visit(child, scope, own));
  }

  #catch({ param, body }, outer, own) {
    const scope = new Scope(outer);
    if (param !== null) {
      bind(param, scope.names);
      this.visit(param, scope, own);
    }
    this.visit(body, scope, own);
  }

  #function(node, outer, own) {
    const isArrow = node.type === 'ArrowFunctionExpression';
    const named = new Scope(outer);
    if (node.type === 'FunctionExpression' && node.id !== null) named.names.add(node.id.name);
    const scope = new Scope(named);
    node.params.forEach((param) => bind(param, scope.names));
    node.params.forEach((param) => this.visit(param, scope, own || !isArrow));
    if (node.body.type === 'BlockStatement') this.#block(node.body.body, scope, own || !isArrow, true);
    else this.visit(node.body, scope, own);
  }

  #class({ id, superClass, body }, outer, own) {
    const scope = new Scope(outer);
    if (id !== null) scope.names.add(id.name);
    if (superClass !== null) this.visit(superClass, scope, own);
    body.body.forEach((member) => this.visit(member, scope, own));
  }
}

/**
 * @param {object} node a function. What its own `this` is nobody says, so it takes that from outside; its `arguments` are its own
 * @returns {{ needed: string[], asked: string[] }} `asked`: the names of which it only asks for the type, which may be missing there
 */
function freeVariables(node) {
  const search = new Search();
  const isArrow = node.type === 'ArrowFunctionExpression';
  const scope = new Scope(undefined);
  if (!isArrow) scope.names.add('arguments');
  // As an arrow function: `this` and the like are not its own then.
  search.visit({ ...node, type: 'ArrowFunctionExpression' }, node.id ? withName(scope, node.id.name) : scope, false);
  const namesOf = (wanted) => [...search.found].filter(([, isTypeof]) => isTypeof === wanted).map(([name]) => name);
  return { needed: namesOf(false), asked: namesOf(true) };
}

function withName(scope, name) {
  scope.names.add(name);
  return scope;
}

module.exports = { IMPORT_META, NEW_TARGET, SUPER, THIS, freeVariables };
