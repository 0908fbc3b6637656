import Datasets
import Testing

@Suite struct CSVOutputTests {
  @Test(arguments: [
    ("a", "a"), ("a,b", "\"a,b\""), ("d\"e", "\"d\"\"e\""), ("a\nb", "\"a\nb\""), (" a", "\" a\""), ("", ""),
    // Numbers are none.
    ("-1", "-1"), ("+1.5e3", "+1.5e3"), ("1", "1"), ("-1e-5", "-1e-5"),
    // Formulae.
    ("=1+1", "'=1+1"), ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"), ("+1+1", "'+1+1"), ("-x", "'-x"),
    ("@SUM(1,2)", "\"'@SUM(1,2)\""), ("\t=1", "'\t=1"), ("＝1+1", "'＝1+1"), ("\r=1", "\"'\r=1\""), ("-", "'-"),
    ("not =1", "not =1"), ("a=1", "a=1"),
  ])
  func fieldsAreTextsAndNoFormulae(text: String, field: String) {
    #expect(csvField(text) == field)
  }
}
