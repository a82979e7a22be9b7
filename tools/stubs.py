"""Write a type stub beside every module: `python tools/stubs.py`; `--check` only says which are stale.

Type checkers and editors read modules without running them, and see what `@patch` adds nowhere. In a stub these functions stand inside
their class, as methods, properties or class methods. A stub keeps signature and docstring of each function, the attributes that the
methods of a class set, and the types of constants; of the decorators those that say what a name is, for others keep the signature. Names
that a module-level `__getattr__` finds in a table are imported.
"""

import argparse
import ast
import builtins
import copy
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTE = "# Made by tools/stubs.py from {}: run it after nbdev_export.\n"
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
NEEDED = dict.fromkeys(["Any", "Literal", "overload"], "typing") | {"Callable": "collections.abc", "field": "dataclasses"}
UNSEEN = {"_modidx", "__main__"}  # modules that nobody imports
TELLING = {"property", "classmethod", "staticmethod", "cached_property", "overload", "abstractmethod", "contextmanager", "singledispatch"}
# diffusers loads its names when they are asked for: type checkers find them only where they are defined
HOMES = {
    "DiffusionPipeline": "diffusers.pipelines.pipeline_utils",
    "SchedulerMixin": "diffusers.schedulers.scheduling_utils",
    "DDIMScheduler": "diffusers.schedulers.scheduling_ddim",
    "ModelMixin": "diffusers.models.modeling_utils",
    "ConfigMixin": "diffusers.configuration_utils",
    "BaseOutput": "diffusers.utils.outputs",
}
LOOSE = {"config_name", "model_cpu_offload_seq"}  # of diffusers' classes, which do not agree on their types


# what is patched


def is_patch(decorator: ast.expr) -> bool:
    call = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(call).split(".")[-1] == "patch"


def patch_of(node: ast.stmt) -> dict | None:
    "The options of the `@patch` over a function, None if there is none."
    for decorator in node.decorator_list if isinstance(node, FUNCTION) else []:
        if is_patch(decorator):
            return {k.arg: ast.literal_eval(k.value) for k in getattr(decorator, "keywords", [])}
    return None


def owners(node: ast.FunctionDef) -> list[str]:
    "The classes that a patched function joins: `self: A`, `self: A | B`, `self: (A, B)`."
    annotation = [*node.args.posonlyargs, *node.args.args][0].annotation
    if isinstance(annotation, ast.Constant):
        annotation = ast.parse(annotation.value, mode="eval").body
    return [part.id for part in ast.walk(annotation) if isinstance(part, ast.Name)]


def method(node: ast.FunctionDef, options: dict) -> ast.FunctionDef:
    "A patched function as it would stand in its class."
    node = copy.deepcopy(node)
    node.name = options.get("nm") or node.name
    kinds = {"as_prop": "property", "set_prop": f"{node.name}.setter", "cls_method": "classmethod", "static_method": "staticmethod"}
    others = [d for d in node.decorator_list if not is_patch(d)]
    node.decorator_list = [ast.parse(kinds[k], mode="eval").body for k in kinds if options.get(k)] + others
    [*node.args.posonlyargs, *node.args.args][0].annotation = None
    return node


# types


class Types:
    "What a module says about the types of its values, as far as one can tell without running it."

    def __init__(self, tree: ast.Module):
        self.returns = {n.name: n.returns for n in tree.body if isinstance(n, FUNCTION) and n.returns and not patch_of(n)}
        self.classes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}
        self.imported = {a.asname or a.name for n in tree.body if isinstance(n, ast.ImportFrom) for a in n.names}

    def common(self, nodes: list[ast.expr]) -> str:
        "One type for several values."
        types = dict.fromkeys(map(self.of, nodes))
        if len(types) == 2 and "None" in types:
            return " | ".join(sorted(types, key="None".__eq__)) if "Any" not in types else "Any"
        return next(iter(types)) if len(types) == 1 else "Any"

    def of(self, node: ast.expr) -> str:
        "The type of one value; Any where that cannot be told."
        match node:
            case ast.Constant():
                return {"NoneType": "None", "ellipsis": "Any"}.get(type(node.value).__name__, type(node.value).__name__)
            case ast.JoinedStr():
                return "str"
            case ast.UnaryOp(op=ast.Not()) | ast.Compare():
                return "bool" if isinstance(node, ast.UnaryOp) else "Any"  # a tensor is compared value by value
            case ast.UnaryOp():
                return self.of(node.operand)
            case ast.BinOp(left=left, op=op, right=right):
                sides = {self.of(left), self.of(right)}
                if sides <= {"int", "float"}:
                    return "float" if "float" in sides or isinstance(op, ast.Div) else "int"
                return sides.pop() if len(sides) == 1 and "None" not in sides else "Any"
            case ast.Tuple(elts=[_, _, *_]) if self.common(node.elts) != "Any" and not self.starred(node):
                return f"tuple[{self.common(node.elts)}, ...]"
            case ast.Tuple():
                return f"tuple[{', '.join(map(self.of, node.elts)) or '()'}]" if not self.starred(node) else "tuple[Any, ...]"
            case ast.List() | ast.Set():
                return f"{type(node).__name__.lower()}[{self.common(node.elts) if not self.starred(node) else 'Any'}]"
            case ast.Dict():
                keys = self.common([k for k in node.keys if k]) if any(node.keys) else "Any"
                return f"dict[{keys}, {self.common(node.values) if all(node.keys) else 'Any'}]"
            case ast.ListComp() | ast.SetComp():
                return f"{type(node).__name__[:-4].lower()}[{self.of(node.elt)}]"
            case ast.DictComp():
                return f"dict[{self.of(node.key)}, {self.of(node.value)}]"
            case ast.IfExp():
                return self.common([node.body, node.orelse])
            case ast.Lambda():
                return "Callable[..., Any]"
            case ast.Name(id=name) if name in self.returns:
                return "Callable[..., Any]"
            case ast.Name(id=name) if name in self.classes:
                return f"type[{name}]"
            case ast.Call(func=ast.Name(id=name)) if name in self.returns:
                return ast.unparse(self.returns[name])
            case ast.Call(func=ast.Name(id=name)) if name in ("list", "dict", "set", "tuple", "frozenset"):
                return f"{name}[{', '.join(['Any'] * (2 if name == 'dict' else 1))}{', ...' if name == 'tuple' else ''}]"
            case ast.Call(func=ast.Name(id=name)) if name in ("int", "float", "str", "bool", "bytes", "len"):
                return "int" if name == "len" else name
            case ast.Call(func=ast.Name(id=name)) if name in self.classes or (name in self.imported and name[0].isupper()):
                return name
            case ast.Call(func=ast.Name(id="partial")):
                return "Callable[..., Any]"
            case ast.Call(func=ast.Attribute(attr=name, value=ast.Name() | ast.Attribute())) if name[0].isupper() and not name.isupper():
                return ast.unparse(node.func)  # nn.Conv3d(...)
        return "Any"

    @staticmethod
    def starred(node: ast.expr) -> bool:
        return not node.elts or any(isinstance(e, ast.Starred) for e in node.elts)

    def is_type(self, node: ast.expr) -> bool:
        "Whether a value is a class or an alias of a type: it stays as it is."
        known = {*self.classes, *self.imported, *vars(builtins)}
        match node:
            case ast.Name(id=name):
                return name in self.classes or (name in known and name[0].isupper()) or isinstance(vars(builtins).get(name), type)
            case ast.Subscript(value=ast.Name(id=name)):
                return name in known and (name[0].isupper() or isinstance(vars(builtins).get(name), type))
            case ast.BinOp(op=ast.BitOr()):
                none = lambda side: isinstance(side, ast.Constant) and side.value is None
                return all(none(side) or self.is_type(side) for side in (node.left, node.right))
        return False


def targets(node: ast.stmt) -> list[tuple[ast.expr, ast.expr | None]]:
    "Pairs of a target and its value; the parts of a tuple one by one. No value where it cannot be told apart."
    pairs = []
    for target in getattr(node, "targets", [getattr(node, "target", None)]):
        if not isinstance(target, (ast.Tuple, ast.List)):
            pairs.append((target, node.value))
            continue
        together = isinstance(node.value, (ast.Tuple, ast.List)) and len(node.value.elts) == len(target.elts)
        pairs += zip(target.elts, node.value.elts if together else [None] * len(target.elts))
    return pairs


def annotated(name: str, kind: str) -> ast.AnnAssign:
    return ast.parse(f"{name}: {kind}").body[0]


def attributes(methods: list[ast.FunctionDef], types: Types) -> dict[str, str]:
    "What the methods of a class set on `self`, each with its type."
    found: dict[str, dict[str, None]] = {}
    for function in methods:
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        if not arguments or any(ast.unparse(d) in ("classmethod", "staticmethod") for d in function.decorator_list):
            continue
        this, given = arguments[0].arg, {a.arg: ast.unparse(a.annotation) for a in arguments if a.annotation}
        assigned = {t.id for n in ast.walk(function) if isinstance(n, (ast.Assign, ast.AugAssign)) for t in ast.walk(n) if is_stored(t)}
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == f"{this}.register_modules":  # of a diffusers pipeline
                for key in node.keywords:
                    found.setdefault(key.arg or "", {})[given.get(ast.unparse(key.value)) or types.of(key.value)] = None
            if not isinstance(node, (ast.Assign, ast.AnnAssign)):
                continue
            for target, value in targets(node):
                if not (isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == this):
                    continue
                if isinstance(node, ast.AnnAssign):
                    kind = ast.unparse(node.annotation)
                elif isinstance(value, ast.Name) and value.id in given.keys() - assigned:
                    kind = given[value.id]
                else:
                    kind = types.of(value) if value else "Any"
                found.setdefault(target.attr, {})[kind] = None
    return {name: merged(list(kinds)) for name, kinds in found.items()}


def is_stored(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def merged(kinds: list[str]) -> str:
    "One type for an attribute that is set in several places."
    certain = [kind for kind in kinds if kind not in ("Any", "None")]
    if len(certain) != 1 or ("Any" in kinds and "None" in kinds):
        return "Any"
    return f"{certain[0]} | None" if "None" in kinds and "None" not in certain[0].split(" | ") else certain[0]


# stubs


def documented(node: ast.AST, body: list[ast.stmt], depth: int) -> list[ast.stmt]:
    "A body that begins with the docstring of `node`, indented as it should be."
    text = re.sub(r"\n(?=.)", "\n" + "    " * depth, ast.get_docstring(node) or "")
    return [ast.Expr(ast.Constant(text)), *body] if text else body


def is_telling(decorator: ast.expr) -> bool:
    name = ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator)
    return name.split(".")[-1] in TELLING or name.endswith((".setter", ".deleter"))


def bare(node: ast.FunctionDef, depth: int = 1) -> ast.FunctionDef:
    "A function without its body, but for the docstring."
    made = copy.deepcopy(node)
    made.body = documented(node, [ast.Expr(ast.Constant(...))], depth)
    made.decorator_list = [d for d in node.decorator_list if is_telling(d)]
    return made


def forms(node: ast.FunctionDef, depth: int = 1) -> list[ast.FunctionDef]:
    "The signatures of a function: two where `return_dict`, as in diffusers, says whether it returns an object or a tuple."
    both = node.returns is not None and ast.unparse(node.returns).endswith(" | tuple")
    names = [a.arg for a in node.args.args]
    if not both or "return_dict" not in names or len(names) - names.index("return_dict") > len(node.args.defaults):
        return [bare(node, depth)]
    made = []
    for value in (True, False):  # False has to be named
        form, place = bare(node, depth), names.index("return_dict") - len(names)
        form.decorator_list.insert(0, ast.Name("overload", ast.Load()))
        flag, default = form.args.args.pop(place), form.args.defaults.pop(place)
        flag.annotation = ast.parse(f"Literal[{value}]", mode="eval").body
        form.args.kwonlyargs.append(flag)
        form.args.kw_defaults.append(default if value else None)
        form.returns = node.returns.left if value else node.returns.right
        made.append(form)
    return made


def keeps_value(node: ast.ClassDef) -> bool:
    "Whether the values of a class's fields are part of its interface: data classes, named tuples, enumerations."
    words = [ast.unparse(part) for part in [*node.decorator_list, *node.bases]]
    return any(name in word for word in words for name in ("dataclass", "NamedTuple", "Enum", "TypedDict"))


def declared(node: ast.ClassDef, patched: dict[str, list], types: Types) -> set[str]:
    "The names that a class of this module has, those of its bases in this module among them."
    own = {t.id for n in node.body if isinstance(n, (ast.Assign, ast.AnnAssign)) for t, _ in targets(n) if isinstance(t, ast.Name)}
    methods = [*(n for n in node.body if isinstance(n, FUNCTION)), *patched.get(node.name, [])]
    bases = [types.classes[name] for name in map(ast.unparse, node.bases) if name in types.classes]
    return own.union({n.name for n in methods}, attributes(methods, types), *(declared(base, patched, types) for base in bases))


def fields(node: ast.ClassDef, types: Types) -> set[str]:
    "The names that the bodies of a class's bases in this module declare as attributes."
    bases = [types.classes[name] for name in map(ast.unparse, node.bases) if name in types.classes]
    own = {ast.unparse(t) for base in bases for n in base.body if isinstance(n, (ast.Assign, ast.AnnAssign)) for t, _ in targets(n)}
    return own.union(*(fields(base, types) for base in bases))


def stub_class(node: ast.ClassDef, patched: dict[str, list], types: Types, depth: int = 1) -> ast.ClassDef:
    "A class with all its methods, those that were patched last; where names repeat, the last one counts."
    made, methods, body = copy.copy(node), [*(n for n in node.body if isinstance(n, FUNCTION)), *patched.get(node.name, [])], []
    bases = [ast.unparse(base) for base in node.bases]
    is_data = any("dataclass" in ast.unparse(d) for d in node.decorator_list)
    unset = " = field(init=False)" if is_data else ""  # else it would be an argument
    for part in node.body:
        if isinstance(part, ast.ClassDef):
            body.append(stub_class(part, {}, types, depth + 1))
        elif isinstance(part, (ast.Assign, ast.AnnAssign)):
            is_field = isinstance(part, ast.AnnAssign) or not is_data
            fixed = (keeps_value(node) and is_field) or isinstance(part.value, ast.Attribute)  # or another class's method
            own = [part] if fixed else constants(part, types)
            body += own if fixed or isinstance(part, ast.AnnAssign) else [annotated(ast.unparse(n.target), kind_of(n) + unset) for n in own]
    if {"ModelMixin", "ConfigMixin"} <= {*bases}:
        body.append(annotated("config_name", "Any"))
    names = {t.id for n in body if isinstance(n, (ast.Assign, ast.AnnAssign)) for t, _ in targets(n)} | {n.name for n in methods}
    of_bases = set().union(*(declared(types.classes[b], patched, types) for b in bases if b in types.classes))
    body += [annotated(n, kind + unset) for n, kind in attributes(methods, types).items() if n not in names | of_bases]
    last = {}
    for function in methods:
        several = any(ast.unparse(d).endswith((".setter", ".deleter", "overload")) for d in function.decorator_list)
        last[(function.name, id(function) if several else None)] = function
    for function in last.values():  # type checkers refuse a property in the place of a base's attribute
        hides = function.name in fields(node, types) and "property" in map(ast.unparse, function.decorator_list)
        body += [annotated(function.name, ast.unparse(function.returns) + unset)] if hides else forms(function, depth + 1)
    made.decorator_list = [d for d in node.decorator_list if "dataclass" in ast.unparse(d)]
    made.body = documented(node, body, depth) or [ast.Expr(ast.Constant(...))]
    return made


def kind_of(node: ast.AnnAssign) -> str:
    "The type in a declaration."
    return "Any" if ast.unparse(node.target) in LOOSE else ast.unparse(node.annotation)


def constants(node: ast.Assign | ast.AnnAssign, types: Types) -> list[ast.stmt]:
    "The names of an assignment, each with its type."
    if isinstance(node, ast.AnnAssign):
        return [ast.AnnAssign(node.target, node.annotation, None, node.simple)]
    pairs = [(target, value) for target, value in targets(node) if isinstance(target, ast.Name)]
    if any(target.id == "__all__" for target, _ in pairs) or (len(pairs) == 1 and pairs[0][1] is not None and types.is_type(pairs[0][1])):
        return [node]
    return [annotated(target.id, types.of(value) if value is not None else "Any") for target, value in pairs]


def again(node: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
    "An import that others may import from here: in a stub, only `import a as a` says so. What is from diffusers is imported from its home."
    node, moved = copy.deepcopy(node), []
    for alias in list(node.names):
        if "." not in alias.name and alias.name != "*":
            alias.asname = alias.asname or alias.name
        if (getattr(node, "module", None) or "").split(".")[0] == "diffusers" and alias.name in HOMES:
            node.names.remove(alias)
            moved.append(ast.ImportFrom(HOMES[alias.name], [alias], 0))
    return ([node] if node.names else []) + moved


def is_own(node: ast.stmt, trees: dict[str, ast.Module]) -> bool:
    "Whether an import takes names from a module of the same package."
    return isinstance(node, ast.ImportFrom) and any(leads_to(node, name) for name in trees)


def needed(imports: list[ast.stmt], body: list[ast.stmt], trees: dict[str, ast.Module]) -> list[ast.stmt]:
    "Of the imports those from this package, and the names of others that the rest of a stub uses."
    names, kept = {name for node in body for name in used(node)}, []
    for node in imports:
        if not is_own(node, trees):
            node.names = [a for a in node.names if (a.asname or a.name).split(".")[0] in names]
        kept += [node] if node.names else []
    return kept


def front_door(tree: ast.Module) -> list[ast.stmt]:
    "The imports that a module-level `__getattr__` stands for: its table says in which module each name is."
    if not any(isinstance(n, FUNCTION) and n.name == "__getattr__" for n in tree.body):
        return []
    tables = [n.value for n in tree.body if isinstance(n, (ast.Assign, ast.AnnAssign)) and isinstance(n.value, ast.Dict) and n.value.keys]
    strings = [t for t in tables if all(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in [*t.keys, *t.values])]
    pairs = [(key.value, value.value) for table in strings for key, value in zip(table.keys, table.values)]
    return [ast.parse(f"from .{module.lstrip('.')} import {name} as {name}").body[0] for name, module in pairs]


def rooms(trees: dict[str, ast.Module]) -> list[ast.stmt]:
    "The modules of a package, which a module-level `__getattr__` loads, too."
    return [ast.parse(f"from . import {name} as {name}").body[0] for name in trees if not name.startswith("_")]


def bound(tree: ast.Module) -> dict[str, ast.stmt | None]:
    "The names of a module, each with the import that brings it, None where it is defined there."
    names: dict[str, ast.stmt | None] = {}
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(a.asname or a.name).split(".")[0]: type(node)(**{**vars(node), "names": [a]}) for a in node.names}
        elif isinstance(node, (ast.ClassDef, *FUNCTION)) and patch_of(node) is None:
            names[node.name] = None
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            names |= {target.id: None for target, _ in targets(node) if isinstance(target, ast.Name)}
    return names


def used(node: ast.AST) -> list[str]:
    "The names that an expression or signature needs, in order; also those in annotations that are texts."
    names = []
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and not is_stored(part):
            names.append(part.id)
        elif isinstance(part, (ast.arg, ast.AnnAssign)) or isinstance(part, FUNCTION):
            annotation = part.returns if isinstance(part, FUNCTION) else part.annotation
            texts = [p.value for p in ast.walk(annotation or ast.Pass()) if isinstance(p, ast.Constant) and isinstance(p.value, str)]
            names += [name for text in texts for name in re.findall(r"[A-Za-z_]\w*", text)]
    return list(dict.fromkeys(names))


def joined(name: str, trees: dict[str, ast.Module]) -> tuple[dict[str, list], list[ast.stmt]]:
    "What the modules of a package add to the classes of one: the methods by class, and the imports that methods from elsewhere need."
    types, here = Types(trees[name]), bound(trees[name])
    patched: dict[str, list[ast.FunctionDef]] = {}
    extra: dict[str, ast.stmt] = {}
    for other, source in trees.items():
        there = bound(source)
        for node in source.body:
            options = patch_of(node)
            for owner in owners(node) if options is not None else []:
                origin = there.get(owner)
                ours = owner in types.classes if other == name else isinstance(origin, ast.ImportFrom) and leads_to(origin, name)
                if not ours:
                    continue
                cls = origin.names[0].name if other != name and isinstance(origin, ast.ImportFrom) else owner
                function = method(node, options)
                patched.setdefault(cls, []).append(function)
                for word in used(bare(function)) if other != name else []:
                    if word in there and word not in here:
                        extra[word] = there[word] or ast.parse(f"from .{other} import {word} as {word}").body[0]
    return patched, list(extra.values())


def stub(name: str, trees: dict[str, ast.Module]) -> str:
    "The stub of a module of a package, given all its modules."
    tree, types = trees[name], Types(trees[name])
    door, here = front_door(tree), bound(tree)
    patched, extra = joined(name, trees)
    imports: list[ast.stmt] = []
    body: list[ast.stmt] = []
    for node in tree.body:
        typing = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        if typing or isinstance(node, ast.Try):  # an optional package: what is there when it is installed
            imports += [new for part in node.body if isinstance(part, (ast.Import, ast.ImportFrom)) for new in again(part)]
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            imports += again(node)
        elif isinstance(node, ast.ClassDef):
            body.append(stub_class(node, patched, types))
        elif isinstance(node, FUNCTION) and patch_of(node) is None and not (door and node.name == "__getattr__"):
            body += forms(node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            body += constants(node, types) if not door or "__all__" not in ast.unparse(node) else []
    for node in body:
        fill(node)
    needs = [n for n in NEEDED if n not in here and any(n in used(node) for node in body)]
    added = [ast.parse(f"from {NEEDED[n]} import {n}").body[0] for n in needs]
    imports = needed([*imports, *(new for node in extra for new in again(node))], body, trees)
    made = ast.Module(documented(tree, added + imports + door + (rooms(trees) if door else []) + body, 0), [])
    return NOTE.format(f"{name}.py") + ast.unparse(ast.fix_missing_locations(made)) + "\n"


class Filled(ast.NodeTransformer):
    "Types of containers as strict checkers want them: `dict` says what it holds, be it anything."

    ANY = dict.fromkeys(("list", "set", "frozenset", "type", "Iterable", "Iterator", "Sequence", "Collection"), "[Any]")
    ANY |= {"dict": "[Any, Any]", "Mapping": "[Any, Any]", "tuple": "[Any, ...]", "Callable": "[..., Any]", "Dataset": "[Any]"}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.parse(node.id + self.ANY.get(node.id, ""), mode="eval").body

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return ast.parse("os.PathLike[str]", mode="eval").body if ast.unparse(node) == "os.PathLike" else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        node.slice = self.visit(node.slice)
        return node


def fill(node: ast.stmt) -> None:
    "Fill in the annotations of a part of a stub."
    for part in ast.walk(node):
        for more in [part.args.vararg, part.args.kwarg] if isinstance(part, FUNCTION) else []:
            if more and not more.annotation:
                more.annotation = ast.Name("Any", ast.Load())
        if isinstance(part, FUNCTION) and part.returns:
            part.returns = Filled().visit(part.returns)
        elif isinstance(part, (ast.arg, ast.AnnAssign)) and part.annotation:
            part.annotation = Filled().visit(part.annotation)


def leads_to(node: ast.ImportFrom, module: str) -> bool:
    "Whether an import takes names from a module of the same package."
    return (node.module or "").split(".")[-1] == module and bool(node.level or "." in (node.module or ""))


def stubs(package: Path) -> dict[str, str]:
    "The stubs of a package, by file name."
    trees = {p.stem: ast.parse(p.read_text(encoding="utf-8")) for p in sorted(package.glob("*.py")) if p.stem not in UNSEEN}
    return {f"{name}.pyi": stub(name, trees) for name in trees}


def stale(package: Path) -> list[str]:
    "The stubs that are missing, left over, or say something else. What counts is their meaning: versions of Python spell it differently."
    wanted, there = stubs(package), {p.name: p.read_text(encoding="utf-8") for p in package.glob("*.pyi")}
    meaning = lambda text: text and ast.dump(ast.parse(text))
    return sorted(name for name in wanted.keys() | there.keys() if meaning(wanted.get(name)) != meaning(there.get(name)))


def main() -> None:
    "Write the stubs, or check them."
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", nargs="?", type=Path, default=ROOT / "videopure", help="folder of the modules")
    parser.add_argument("--check", action="store_true", help="write nothing; list what is out of date and exit with 1")
    args = parser.parse_args()
    if args.check:
        if found := stale(args.package):
            sys.exit("out of date, run tools/stubs.py: " + ", ".join(found))
        return
    wanted = stubs(args.package)
    for path in args.package.glob("*.pyi"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (args.package / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
