"""Classes of versioned objects, read from source: version, bases, and the kind of each field.

Kinds are the words of src/facts/kinds.ts: `string`, `integer`, `float`, `boolean`, `any`, `@Class` for an
object; `x[]` a list,
`{x}` a map by name, `x?` may be null, `~x` may be absent.
"""

import ast
import re

SCALARS = {
    'IntegerField': 'integer',
    'NonNegativeIntegerField': 'integer',
    'FloatField': 'float',
    'NonNegativeFloatField': 'float',
    'BooleanField': 'boolean',
    'FlexibleBooleanField': 'boolean',
    'FlexibleDictField': '{any}',
    'DictOfStringsField': '{string}',
    'DictOfNullableStringsField': '{string?}',
    'DictOfIntegersField': '{integer}',
    'DictOfListOfStringsField': '{any}',
    'ListOfStringsField': 'string[]',
    'ListOfEnumField': 'string[]',
    'ListOfUUIDField': 'string[]',
    'ListOfIntegersField': 'integer[]',
    'ListOfObjectsField': '@[]',
    'SetOfStringsField': 'string[]',
    'SetOfIntegersField': 'integer[]',
    'ListOfDictOfNullableStringsField': 'any[]',
    'ListOfListsOfStringsField': 'any[]',
    'ListOfListsField': 'any[]',
    'ListOfFlexibleDictsField': 'any[]',
    'ListOfSetsOfIntegersField': 'any[]',
    'ObjectField': '@',
}


def kind_of(call):
    """The kind of `fields.XField(...)`. A class that is not above is an enumeration or checked text."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id
    options = {keyword.arg: keyword.value for keyword in call.keywords}
    if name not in SCALARS and re.search('List|Dict|Set|Integer|Float|Bool', name):
        raise SystemExit(f'{name} is in no table: what is it on the wire?')
    kind = SCALARS.get(name, 'any' if name == 'Field' else 'string')
    if kind.startswith('@'):
        kind = f'@{ast.literal_eval(call.args[0])}{kind[1:]}'
    nullable = options.get('nullable')
    return f'{kind}?' if nullable is not None and ast.literal_eval(nullable) else kind


def classes_in(source):
    """By name: version (None where the class has none of its own), bases, fields in their order, and samples."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = {
                'version': constant(node, 'VERSION'),
                'bases': [
                    base.attr if isinstance(base, ast.Attribute) else getattr(base, 'id', '') for base in node.bases
                ],
                'fields': fields_of(node),
                'samples': [
                    ast.literal_eval(decorator.args[0])
                    for decorator in node.decorator_list
                    if isinstance(decorator, ast.Call) and getattr(decorator.func, 'attr', '') == 'notification_sample'
                ],
            }
    return found


def constant(class_node, name):
    for node in class_node.body:
        if (
            isinstance(node, ast.Assign)
            and getattr(node.targets[0], 'id', '') == name
            and isinstance(node.value, ast.Constant)
        ):
            return node.value.value
    return None


def fields_of(class_node):
    for node in class_node.body:
        if (
            isinstance(node, ast.Assign)
            and getattr(node.targets[0], 'id', '') == 'fields'
            and isinstance(node.value, ast.Dict)
        ):
            return {
                ast.literal_eval(key): kind_of(value)
                for key, value in zip(node.value.keys, node.value.values)
                if isinstance(value, ast.Call)
            }
    return {}
