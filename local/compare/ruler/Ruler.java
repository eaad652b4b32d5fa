import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;

/**
 * Answers each line {"pattern": "JSON text", "event": "JSON text"} with a line:
 * true, false, or invalid and why.
 */
public class Ruler {
    private static String pattern = "";
    private static String invalid = "";
    private static Machine machine;

    public static void main(String[] arguments) throws Exception {
        ObjectMapper json = new ObjectMapper();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode pair = json.readTree(line);
            out.write(answer(pair.get("pattern").textValue(), pair.get("event").textValue()));
            out.newLine();
            if (!in.ready()) {
                out.flush();
            }
        }
        out.flush();
    }

    private static String answer(String wanted, String event) {
        compile(wanted);
        if (invalid != null) {
            return "invalid " + invalid.lines().findFirst().orElse("");
        }
        try {
            return machine.rulesForJSONEvent(event).isEmpty() ? "false" : "true";
        } catch (Exception e) {
            return "failed " + e.toString().lines().findFirst().orElse("");
        }
    }

    /** Keeps the last pattern, as many events follow one another for each. */
    private static void compile(String wanted) {
        if (wanted.equals(pattern)) {
            return;
        }
        pattern = wanted;
        machine = Machine.builder().build();
        invalid = JsonRuleCompiler.check(wanted);
        if (invalid != null) {
            return;
        }
        try {
            machine.addRule("rule", wanted);
        } catch (Exception e) {
            invalid = e.toString();
        }
    }
}
