with final as (select * from {{ source("raw", "rule_results") }}) select * from final
