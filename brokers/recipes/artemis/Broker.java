// java -cp 'jars/*' Broker.java FOLDER: an embedded Artemis with FOLDER/broker.xml; users come from the JAAS entry "activemq".
// The library's own main class refuses connections without SASL, which Python makes when the URL names no user.
import java.io.File;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.spi.core.security.ActiveMQJAASSecurityManager;

public class Broker {
    public static void main(String[] args) throws Exception {
        var broker = new EmbeddedActiveMQ();
        broker.setConfigResourcePath(new File(args[0], "broker.xml").toURI().toString());
        broker.setSecurityManager(new ActiveMQJAASSecurityManager("activemq"));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                broker.stop();
            } catch (Exception e) {
                e.printStackTrace();
            }
        }));
        broker.start();
        Thread.currentThread().join();
    }
}
