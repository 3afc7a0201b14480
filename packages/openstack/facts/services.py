"""Exchange, topic, namespace and version of each RPC interface, each read from the file that says so.

A row: service, interface, package, exchange, topic, namespace, version; a fact is (file, regular expression) or a text.
"""

OSLO = ('openstack', 'the default of oslo.messaging: the service sets none')


def simple(file):
    return (file, r"^\s*RPC_API_VERSION = ['\"]([\d.]+)['\"]")


NOVA = ('nova/config.py', r"control_exchange='(\w+)'")
NEUTRON = ('neutron/common/config.py', r"control_exchange='(\w+)'")
TOPICS = 'neutron_lib/agent/topics.py'

ROWS = [
    (
        'nova',
        'conductor',
        'nova',
        NOVA,
        ('nova/conductor/rpcapi.py', r"^RPC_TOPIC = ['\"](.*?)['\"]"),
        None,
        ('nova/conductor/manager.py', r"^class ConductorManager.*?Target\(version='([\d.]+)'\)"),
    ),
    (
        'nova',
        'compute_task',
        'nova',
        NOVA,
        ('nova/conductor/rpcapi.py', r"^RPC_TOPIC = ['\"](.*?)['\"]"),
        ('nova/conductor/manager.py', r"Target\(namespace='(\w+)'"),
        ('nova/conductor/manager.py', r"Target\(namespace='\w+', version='([\d.]+)'\)"),
    ),
    (
        'nova',
        'compute',
        'nova',
        NOVA,
        ('nova/compute/rpcapi.py', r"^RPC_TOPIC = ['\"](.*?)['\"]"),
        None,
        ('nova/compute/manager.py', r"^class ComputeManager.*?Target\(version='([\d.]+)'\)"),
    ),
    (
        'nova',
        'scheduler',
        'nova',
        NOVA,
        ('nova/scheduler/rpcapi.py', r"^RPC_TOPIC = ['\"](.*?)['\"]"),
        None,
        ('nova/scheduler/manager.py', r"Target\(version='([\d.]+)'\)"),
    ),
    (
        'nova',
        'baseapi',
        'nova',
        NOVA,
        None,
        ('nova/baserpc.py', r"^_NAMESPACE = ['\"](.*?)['\"]"),
        ('nova/baserpc.py', r"Target\(namespace=_NAMESPACE, version='([\d.]+)'\)"),
    ),
    (
        'cinder',
        'volume',
        'cinder',
        OSLO,
        ('cinder/common/constants.py', r"^VOLUME_BINARY(?:: str)? = ['\"](.*?)['\"]"),
        None,
        simple('cinder/volume/rpcapi.py'),
    ),
    (
        'cinder',
        'scheduler',
        'cinder',
        OSLO,
        ('cinder/common/constants.py', r"^SCHEDULER_BINARY(?:: str)? = ['\"](.*?)['\"]"),
        None,
        simple('cinder/scheduler/rpcapi.py'),
    ),
    (
        'cinder',
        'backup',
        'cinder',
        OSLO,
        ('cinder/common/constants.py', r"^BACKUP_BINARY(?:: str)? = ['\"](.*?)['\"]"),
        None,
        simple('cinder/backup/rpcapi.py'),
    ),
    (
        'neutron',
        'plugin',
        'neutron',
        NEUTRON,
        ('neutron-lib:' + TOPICS, r"^PLUGIN = '(.*?)'"),
        None,
        ('neutron/plugins/ml2/rpc.py', r"Target\(version='([\d.]+)'\)"),
    ),
    (
        'neutron',
        'l3_plugin',
        'neutron',
        NEUTRON,
        ('neutron-lib:' + TOPICS, r"^L3PLUGIN = '(.*?)'"),
        None,
        ('neutron/api/rpc/handlers/l3_rpc.py', r"Target\(version='([\d.]+)'\)"),
    ),
    (
        'neutron',
        'reports',
        'neutron',
        NEUTRON,
        ('neutron-lib:' + TOPICS, r"^REPORTS = '(.*?)'"),
        None,
        ('neutron/db/agents_db.py', r"Target\(version='([\d.]+)'"),
    ),
    (
        'neutron',
        'l3_agent',
        'neutron',
        NEUTRON,
        ('neutron-lib:' + TOPICS, r"^L3_AGENT = '(.*?)'"),
        None,
        ('neutron/agent/l3/agent.py', r"    target = oslo_messaging.Target\(version='([\d.]+)'\)"),
    ),
    (
        'neutron',
        'dhcp_agent',
        'neutron',
        NEUTRON,
        ('neutron-lib:' + TOPICS, r"^DHCP_AGENT = '(.*?)'"),
        None,
        ('neutron/agent/dhcp/agent.py', r"    target = oslo_messaging.Target\(version='([\d.]+)'\)"),
    ),
    (
        'heat',
        'engine',
        'openstack-heat',
        ('heat/common/messaging.py', r"set_transport_defaults\('(\w+)'\)"),
        ('heat/rpc/api.py', r"ENGINE_TOPIC = '(\w+)'"),
        None,
        simple('heat/engine/service.py'),
    ),
    (
        'ironic',
        'conductor',
        'ironic',
        ('ironic/common/config.py', r"control_exchange='(\w+)'"),
        ('ironic/common/rpc.py', r"^MANAGER_TOPIC = '(.*?)'"),
        None,
        simple('ironic/conductor/rpcapi.py'),
    ),
    (
        'designate',
        'central',
        'designate',
        ('designate/cmd/__init__.py', r"set_transport_defaults\('(\w+)'\)"),
        ('designate/conf/central.py', r"StrOpt\('topic', default='(\w+)'"),
        None,
        simple('designate/central/service.py'),
    ),
    (
        'designate',
        'worker',
        'designate',
        ('designate/cmd/__init__.py', r"set_transport_defaults\('(\w+)'\)"),
        ('designate/conf/worker.py', r"StrOpt\('topic', default='(\w+)'"),
        None,
        simple('designate/worker/rpcapi.py'),
    ),
    (
        'octavia',
        'provisioning',
        'octavia',
        ('octavia/common/config.py', r"control_exchange='(\w+)'"),
        ('octavia/common/constants.py', r"^TOPIC_AMPHORA_V2 = '(.*?)'"),
        None,
        ('octavia/controller/queue/v2/endpoints.py', r"version=['\"]([\d.]+)['\"]"),
    ),
    (
        'manila',
        'share',
        'manila',
        OSLO,
        ('manila/common/config.py', r"'share_topic',\s+default='(.*?)'"),
        None,
        simple('manila/share/manager.py'),
    ),
    (
        'manila',
        'scheduler',
        'manila',
        OSLO,
        ('manila/common/config.py', r"'scheduler_topic',\s+default='(.*?)'"),
        None,
        simple('manila/scheduler/manager.py'),
    ),
    (
        'magnum',
        'conductor',
        'magnum',
        ('magnum/common/config.py', r"control_exchange='(\w+)'"),
        ('magnum/conf/conductor.py', r"StrOpt\('topic',\s+default='(.*?)'"),
        None,
        None,
    ),
    (
        'barbican',
        'worker',
        'barbican',
        OSLO,
        ('barbican/common/config.py', r"'topic', default='(barbican.*?)'"),
        ('barbican/common/config.py', r"'namespace', default='(\w+)'"),
        ('barbican/common/config.py', r"'version', default='([\d.]+)'"),
    ),
    (
        'trove',
        'taskmanager',
        'trove',
        OSLO,
        ('trove/common/cfg.py', r"'taskmanager_queue', default='(.*?)'"),
        None,
        ('trove/taskmanager/api.py', r"API_LATEST_VERSION = '([\d.]+)'"),
    ),
    ('mistral', 'engine', 'mistral', OSLO, ('mistral/config.py', r"default='(mistral_engine)'"), None, None),
    (
        'masakari',
        'engine',
        'masakari',
        ('masakari/config.py', r"control_exchange='(\w+)'"),
        ('masakari/conf/engine.py', r'"masakari_topic",\s+default="(\w+)"'),
        None,
        simple('masakari/engine/rpcapi.py'),
    ),
    # These only notify.
    (
        'keystone',
        'notifications',
        'keystone',
        ('keystone/conf/__init__.py', r"control_exchange='(\w+)'"),
        None,
        None,
        None,
    ),
    ('glance', 'notifications', 'glance', ('glance/notifier.py', r"control_exchange='(\w+)'"), None, None, None),
    ('aodh', 'notifications', 'aodh', ('aodh/messaging.py', r"set_transport_defaults\('(\w+)'\)"), None, None, None),
]


def read(packages):
    """Rows with their values, and the source of each fact: `package version: file`."""
    for service, interface, package, *facts in ROWS:
        values, sources = {}, []
        for name, fact in zip(('exchange', 'topic', 'namespace', 'version'), facts):
            if fact is None:
                values[name] = None
            elif fact is OSLO:
                values[name] = OSLO[0]
                sources.append(f'{name}: {OSLO[1]}')
            else:
                path, pattern = fact
                owner, _, inner = path.rpartition(':')
                origin = packages[owner or package]
                values[name] = origin.find(inner, pattern)
                sources.append(f'{name}: {origin.name} {origin.version} {inner}')
        yield {'service': service, 'interface': interface, **values, 'sources': sources}
