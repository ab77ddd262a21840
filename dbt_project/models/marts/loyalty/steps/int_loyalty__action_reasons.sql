with
    as_of as (select * from {{ ref("dim_as_of") }}),

    reasons as (select * from {{ ref("int_loyalty__action_conditions") }}),

    customer_values as (select * from {{ ref("fct_customer_values") }}),

    wallet_gaps as (select * from {{ ref("int_loyalty__wallet_gaps") }}),

    final as (
        select
            reasons.*,
            case
                when reasons.action = 'upsell'
                then wallet_gaps.wallet_gap_amount
                -- with a customer who costs more than they bring, nothing is lost
                when customer_values.cm3_amount < 0
                then 0
                else customer_values.cm3_amount
            end as value_at_stake_amount,
            case
                when reasons.action = 'upsell'
                then as_of.reporting_currency_code
                else customer_values.currency_code
            end as currency_code,
            case
                when
                    reasons.action = 'upsell'
                    and wallet_gaps.wallet_gap_amount is not null
                then 'spend elsewhere per quarter'
                when customer_values.cm3_amount is not null
                then 'contribution margin in the value window'
            end as value_basis
        from reasons
        cross join as_of
        left join customer_values on reasons.customer_key = customer_values.customer_key
        left join wallet_gaps on reasons.customer_key = wallet_gaps.customer_key
    )

select *
from final
