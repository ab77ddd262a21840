with final as (select * from {{ ref("next_actions") }}) select * from final
